import type { LeftoverDatabase } from '../../../core/query/leftovers.ts';
import { translated, type Connection } from '../connect.ts';

/** Which archives the ledger lists. */
export function leftoverDatabase(connection: Connection): LeftoverDatabase {
  return {
    unlisted: (archiveIds) =>
      translated('looking for archives that are not listed', async () => {
        const rows = await connection<{ id: string }[]>`
          select found.id from jsonb_array_elements_text(${connection.json([...archiveIds])}::jsonb) as found (id)
           where not exists (select from partition_archiver.listing l
                               join partition_archiver.partition p on p.archive_id = l.archive_id
                              where l.archive_id::text = found.id and l.state = 'listed' and p.state = 'dropped')`;
        return rows.map(({ id }) => id);
      }),
  };
}
