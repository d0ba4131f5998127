import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';

/** Which session: of a role, with a statement; patterns of LIKE. */
interface Session {
  readonly role?: string;
  readonly query?: string;
}

/**
 * Until a session of the database waits for a lock; returns its process id. Takes no transaction, which would see the same
 * activity for ever.
 */
export async function untilSomebodyWaits(
  sql: postgres.Sql,
  { role = '%', query = '%' }: Session = {},
): Promise<number> {
  for (;;) {
    const [waiting] = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and usename like ${role} and query like ${query}`;
    if (waiting !== undefined) return waiting.pid;
    await sleep(10);
  }
}
