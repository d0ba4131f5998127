import type { Connection, Transaction } from '../connect.ts';

/**
 * What a server knows of the export of a segment, and which database it is: everything that the ledger has of it, down
 * to the moment, and the seal. Two servers that return the same are the same database at or after that export. The
 * second one, a reader, then also has all that came before it: the quarantine, and every write to the table.
 *
 * Compared is the row itself and not a position in the log, which readers of Aurora have none of.
 * `null` where the server knows no such segment.
 */
export async function exportFingerprint(
  connection: Connection | Transaction,
  partitionId: number,
  segmentNumber: number,
): Promise<string | null> {
  const [row] = await connection<{ mark: string }[]>`
    select jsonb_build_array(
             partition_archiver.system_identifier(), current_database(), l.system_identifier, l.database_name, l.table_oid,
             l.quarantine_name, l.archive_id, l.seal, s.number, s.first_block, s.next_block, s.state, s.object_key,
             s.exported_rows, s.exported_files, s.exported_bytes, extract(epoch from s.exported_at))::text as mark
      from partition_archiver.partition l
      join partition_archiver.segment s on s.archive_id = l.archive_id
     where l.id = ${partitionId}::bigint and s.number = ${segmentNumber}::integer`;
  return row?.mark ?? null;
}
