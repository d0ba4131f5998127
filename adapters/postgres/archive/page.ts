import type { PageDatabase } from '../../../core/page/facts.ts';
import { translated, type Connection } from '../connect.ts';
import { readLedger } from './status.ts';

/** What the page shows of the database. */
export function pageDatabase(connection: Connection): PageDatabase {
  return {
    rows: () => readLedger(connection),
    lastChecks: () =>
      translated('looking for the last audit and drill', async () => {
        const [row] = await connection<[Awaited<ReturnType<PageDatabase['lastChecks']>>]>`
          select (select max(ended_at) from partition_archiver.audit) as audit,
                 (select max(ended_at) from partition_archiver.drill) as drill`;
        return row;
      }),
  };
}
