/** Sessions that steadily delete from a table that others reference, and insert into it again, as a busy application does. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

const SESSIONS = 6;

/** What the writers met. */
export interface SteadyResult {
  readonly done: number;
  /** Transactions that were ended with an error: an application's that a deadlock killed, say. */
  readonly killed: readonly string[];
}

/** Starts them on rows 2 to 4001 of `table (id integer primary key)`; returns what stops them. */
export async function startSteadyWriters(url: string, table: string): Promise<() => Promise<SteadyResult>> {
  const state = { stopped: false, done: 0 };
  const killed: string[] = [];
  const writers = Array.from({ length: SESSIONS }, async (_, n) => {
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    for (let round = 0; !state.stopped; round += 1) {
      const id = String(2 + ((round * SESSIONS + n) % 4000));
      try {
        await sql.begin(async (tx) => {
          await tx.unsafe(`delete from ${table} where id = ${id}`);
          await tx`select pg_sleep(0.03)`;
          await tx.unsafe(`insert into ${table} (id) values (${id})`);
        });
        state.done += 1;
      } catch (error) {
        killed.push(String(error));
      }
    }
    await sql.end();
  });
  while (state.done + killed.length < SESSIONS) await sleep(10);
  return async () => {
    state.stopped = true;
    await Promise.all(writers);
    return { done: state.done, killed };
  };
}
