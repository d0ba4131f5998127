import type { Archiver } from './archiver.ts';
import { nth, readLedger, type LedgerLine } from './ledger.ts';
import { createVerifiedPartitions } from './verified.ts';

/** A state that a partition of a set is left in. */
export type HalfState =
  'attached' | 'detached' | 'quarantined' | 'exported' | 'verified' | 'restored' | 'released' | 'blocked';

/**
 * A partition set with a partition in every state that can be met between two runs. `blocked` is one that was blocked
 * between its export and its commit; the table of `restored` was archived, dropped and restored.
 */
export async function archiveHalf(archiver: Archiver, table: string): Promise<Record<HalfState, LedgerLine>> {
  const { database, operations, steps, config } = archiver;
  const { sql } = database;
  const set = config([{ schema: 'app', table, drop: true, graceDays: 0 }]);
  const { quarantine, export: exportSegment, drop } = steps(set);
  const cold = await createVerifiedPartitions(archiver, { table, cold: 7, rowsPerMonth: 50 });
  const ids = cold.map(({ id }) => id);
  const [restored = 0, released = 0, detached = 0, quarantined = 0, exported = 0, blocked = 0, verified = 0] =
    ids;

  await sql`select partition_archiver.schedule_drop(${restored}::bigint, 0)`;
  await drop(restored);
  const [archive] = await sql<{ key: string }[]>`
    select manifest_key as key from partition_archiver.partition where id = ${restored}`;
  const { partitionId: back } = await operations().restore({ manifestKey: archive?.key });
  await operations().release(released);

  const request = await steps(set).preflight({});
  for (const id of [detached, quarantined, exported, blocked]) {
    await operations().release(id);
    await operations().resume(id);
    if (id === detached) continue;
    const { segments } = await quarantine(id, request);
    if (id === quarantined) continue;
    for (const segmentNumber of segments) await exportSegment(id, segmentNumber);
  }
  await sql`select partition_archiver.block(${blocked}::bigint, 'ContentMismatch', 'an operator is to look')`;

  const lines = await readLedger(sql, table);
  const one = (id: number): LedgerLine =>
    nth(
      lines.filter((line) => line.id === id),
      0,
    );
  return {
    attached: nth(
      lines.filter(({ state }) => state === 'attached'),
      0,
    ),
    detached: one(detached),
    quarantined: one(quarantined),
    exported: one(exported),
    verified: one(verified),
    restored: one(back),
    released: one(released),
    blocked: one(blocked),
  };
}
