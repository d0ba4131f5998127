import { ArchiverError } from '../../../core/errors.ts';
import type { Published, RestoreDatabase } from '../../../core/restore/database.ts';
import { translated } from '../connect.ts';
import { literal, type Sessions } from './sessions.ts';

/** What comes after the proof of a restore. */
export function finishOn({
  using,
  transaction,
  detached,
}: Sessions): Pick<
  RestoreDatabase,
  'publish' | 'published' | 'unvalidatedForeignKeys' | 'validateForeignKey' | 'attach' | 'cancel'
> {
  return {
    publish: (restoreId) =>
      transaction('bringing the restored table out', async (tx) => {
        const [row] = await tx<[{ partitionId: number }]>`
          select partition_archiver.publish_restore(${restoreId}::bigint) as "partitionId"`;
        return row.partitionId;
      }),

    published: (partitionId) =>
      using((connection) =>
        translated('looking at the restored table', async () => {
          const [row] = await connection<[{ restored: Published }]>`
            select partition_archiver.published(${partitionId}::bigint) as restored`;
          return row.restored;
        }),
      ),

    unvalidatedForeignKeys: (partitionId) =>
      using((connection) =>
        translated('looking for foreign keys', async () => {
          const [row] = await connection<[{ names: string[] }]>`
            select to_jsonb(partition_archiver.unvalidated_foreign_keys(${partitionId}::bigint)) as names`;
          return row.names;
        }),
      ),

    validateForeignKey: async (partitionId, constraint) => {
      const call = `select partition_archiver.validate_restored(${partitionId}, ${literal(constraint)})`;
      await detached('validating it', {}, call);
    },

    attach: async (partitionId, { schema, table }) => {
      const named = `${partitionId}, ${literal(schema)}, ${literal(table)}`;
      const call = (doing: string, statement: string): Promise<unknown> =>
        detached(doing, {}, `select partition_archiver.${statement}`);
      try {
        await call('checking whether the restored table can be attached', `check_attach(${named})`);
        // Separately: if a lock is unavailable, the next try does not read the table again.
        await call('checking the bounds of the restored table', `bound_restored(${partitionId})`);
        await call('making the indexes of the parent on the restored table', `index_restored(${named})`);
        await call('making the foreign keys of the parent', `reference_restored(${named})`);
        await call('validating the foreign keys of the parent', `validate_references(${partitionId})`);
        await call('attaching the restored table', `attach_restored(${named})`);
      } catch (error) {
        // Where an earlier try was interrupted, its constraints are there although this one made none.
        if (error instanceof ArchiverError && ['AttachRefused', 'ArchiveListed'].includes(error.code)) {
          await call('taking away what was made for the attach', `undo_attach(${partitionId})`);
        }
        throw error;
      }
    },

    cancel: (restoreId) =>
      transaction(`giving restore ${restoreId} up`, async (tx) => {
        await tx`select partition_archiver.cancel_restore(${restoreId}::bigint)`;
      }),
  };
}
