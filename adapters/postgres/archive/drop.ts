import type { DropDatabase, DropEvidence } from '../../../core/archive/drop.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';

/** `drop` on PostgreSQL: the only functions that the dropping role may call. */
export function dropDatabase(connection: Connection): DropDatabase {
  return {
    isDropped: (partitionId) =>
      translated(`whether partition ${String(partitionId)} is dropped`, async () => {
        const [row] = await connection<[{ dropped: boolean }]>`
          select partition_archiver.is_dropped(${partitionId}::bigint) as dropped`;
        return row.dropped;
      }),

    evidence: (partitionId) =>
      translated(`evidence for dropping partition ${String(partitionId)}`, async () => {
        const [row] = await connection<[DropEvidence]>`
          select archive_id as "archiveId", manifest_key as "manifestKey", manifest_version_id as "manifestVersionId",
                 manifest_sha256 as "manifestSha256", row_count as rows
            from partition_archiver.drop_evidence(${partitionId}::bigint)`;
        return row;
      }),

    dropVerified: (partitionId, { manifestVersionId }) =>
      inTransaction(connection, `drop of partition ${String(partitionId)}`, async (transaction) => {
        const [row] = await transaction<[{ table: string }]>`
          select partition_archiver.drop_verified(${partitionId}::bigint, ${manifestVersionId}::text) as table`;
        return row.table;
      }),
  };
}
