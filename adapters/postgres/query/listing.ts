import type { ListedArchive } from '../../../core/query/catalog.ts';
import type { ListingDatabase } from '../../../core/query/listing.ts';
import { translated, type Connection } from '../connect.ts';

/** The listing in the ledger. */
export function listingDatabase(connection: Connection): ListingDatabase {
  return {
    begin: (execution, sets, after, most, seconds) =>
      translated('looking for archives to list', async () => [
        ...(await connection<(ListedArchive & { partitionId: number })[]>`
          select id::float8 as "partitionId", archive_id as "archiveId", parent_schema as schema, parent_name as "table",
                 manifest_key as "manifestKey", manifest_version_id as "versionId", wanted, collides as "overlaps"
            from partition_archiver.begin_listing(${execution}::text, ${connection.json([...sets])}::jsonb, ${after}::bigint,
              ${most}::integer, ${seconds}::integer)`),
      ]),

    end: (execution, wanted, unwanted) =>
      translated('recording what was listed', async () => {
        await connection`
          select partition_archiver.end_listing(${execution}::text, ${connection.json([...wanted])}::jsonb,
                   ${connection.json([...unwanted])}::jsonb)`;
      }),

    withdraw: (archiveId) =>
      translated(`withdrawing archive ${archiveId}`, async () => {
        await connection`select partition_archiver.begin_withdrawal(${archiveId}::uuid)`;
      }),
  };
}
