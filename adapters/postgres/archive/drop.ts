import type { DropDatabase, DropEvidence } from '../../../core/archive/drop.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';

/** `drop` on PostgreSQL: the only functions that the dropping role may call. */
export function dropDatabase(connection: Connection): DropDatabase {
  return {
    isDropped: (partition) =>
      translated(`whether partition ${String(partition)} is dropped`, async () => {
        const [row] = await connection<[{ dropped: boolean }]>`
          select partition_archiver.is_dropped(${partition}::bigint) as dropped`;
        return row.dropped;
      }),

    evidence: (partition) =>
      translated(`evidence for dropping partition ${String(partition)}`, async () => {
        const [row] = await connection<[DropEvidence]>`
          select archive_id as "archiveId", manifest_key as "manifestKey", manifest_version_id as "manifestVersionId",
                 manifest_sha256 as "manifestSha256", row_count as rows
            from partition_archiver.drop_evidence(${partition}::bigint)`;
        return row;
      }),

    dropVerified: (partition, { manifestVersionId }) =>
      inTransaction(connection, `drop of partition ${String(partition)}`, async (transaction) => {
        const [row] = await transaction<[{ table: string }]>`
          select partition_archiver.drop_verified(${partition}::bigint, ${manifestVersionId}::text) as table`;
        return row.table;
      }),
  };
}
