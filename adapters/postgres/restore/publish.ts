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
      // Separately: if a lock is unavailable, the next try does not read the table again.
      const bound = `select partition_archiver.bound_restored(${partitionId})`;
      await detached('checking the bounds of the restored table', {}, bound);
      const indexes = `select partition_archiver.index_restored(${partitionId}, ${literal(schema)}, ${literal(table)})`;
      await detached('making the indexes of the parent on the restored table', {}, indexes);
      const call = `select partition_archiver.attach_restored(${partitionId}, ${literal(schema)}, ${literal(table)})`;
      await detached('attaching the restored table', {}, call);
    },

    cancel: (restoreId) =>
      transaction(`giving restore ${restoreId} up`, async (tx) => {
        await tx`select partition_archiver.cancel_restore(${restoreId}::bigint)`;
      }),
  };
}
