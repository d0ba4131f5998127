import { expect } from '@jest/globals';
import type postgres from 'postgres';
import type { Steps } from '../../core/archive/run.ts';
import { useArchiver, type Archiver } from './archiver.ts';
import { nth, readLedger, type LedgerLine } from './ledger.ts';
import { createPartitionSet } from './partition-sets.ts';

/** How far a partition is brought. */
export type Stage = 'attached' | 'detached' | 'quarantined' | 'half verified' | 'exported' | 'verified';

/** A partition, and the steps that it can continue with. */
export interface Brought {
  readonly id: number;
  readonly steps: Steps;
  readonly line: () => Promise<LedgerLine>;
}

/** Asks the functions of db/ directly, of partitions that were brought as far as a question needs them. */
export interface Asking {
  readonly archiver: () => Archiver;
  readonly sql: () => postgres.Sql;
  /** One partition of a set of its own, brought as far as asked: two segments, the first one verified, the second exported. */
  readonly bring: (table: string, to: Stage) => Promise<Brought>;
  /** What a call returns, or the SQLSTATE and message that it raises; nothing of it stays. `before` is done first. */
  readonly ask: (call: string, options?: { isolation?: string; before?: string }) => Promise<string>;
  /** Changes the ledger row by hand. */
  readonly change: (id: number, set: string) => Promise<unknown>;
}

/** Gives a test file an archiver of its own that can be asked directly. */
export function useAsking(): Asking {
  const archiver = useArchiver();
  const sql = (): postgres.Sql => archiver().database.sql;
  return {
    archiver,
    sql,
    bring: (table, to) => bring(archiver(), table, to),
    ask: (call, options) => ask(sql(), call, options),
    change: (id, set) =>
      sql().unsafe(`update partition_archiver.partition set ${set} where id = ${String(id)}`),
  };
}

async function bring(
  { database: { sql }, steps: makeSteps, config }: Archiver,
  table: string,
  to: Stage,
): Promise<Brought> {
  await createPartitionSet(sql, { table, months: 3, rowsPerMonth: 20_000 });
  const steps = makeSteps(config([{ schema: 'app', table, drop: true, graceDays: 1, segmentSizeMiB: 1 }]));
  const line = async (): Promise<LedgerLine> => nth(await readLedger(sql, table), 0);
  const request = await steps.preflight({});
  await steps.maintain({ ...request, mode: to === 'attached' ? 'inventory' : 'archive' });
  const { id } = await line();
  if (to === 'attached' || to === 'detached') return { id, steps, line };
  expect((await steps.quarantine(id, request)).segments).toEqual([0, 1]);
  if (to === 'quarantined') return { id, steps, line };
  await steps.export(id, 0);
  await steps.verify(id, 0);
  if (to === 'half verified') return { id, steps, line };
  await steps.export(id, 1);
  if (to === 'exported') return { id, steps, line };
  await steps.verify(id, 1);
  await steps.commit(id, request);
  return { id, steps, line };
}

async function ask(
  sql: postgres.Sql,
  call: string,
  { isolation = 'read committed', before }: { isolation?: string; before?: string } = {},
): Promise<string> {
  let answer = '';
  await sql
    .begin(`isolation level ${isolation}`, async (tx) => {
      if (before !== undefined) await tx.unsafe(before);
      const [row] = await tx.unsafe<{ answer: string }[]>(
        `select partition_archiver.${call}::text as answer`,
      );
      answer = `returns ${String(row?.answer)}`;
      throw new Error('undo');
    })
    .catch((error: unknown) => {
      const { code, message } = error as postgres.PostgresError;
      if (message !== 'undo') answer = `${code} ${message}`;
    });
  return answer;
}
