import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from './environment.ts';

/** Clock ticks of /proc a second: 100 on every Linux that Debian builds. */
export const TICKS = 100;

/**
 * CPU seconds that the processes of PostgreSQL spend on `work`: those that live, and those that ended meanwhile, which
 * the postmaster has in its children's time. Programs that COPY … PROGRAM starts are not counted, since they belong to
 * the stand-in; for that, no backend that has run one may end meanwhile, so the pooler starts again before.
 */
export async function serverCpu({ stack, sql }: Environment, work: () => Promise<unknown>): Promise<number> {
  await stack.restartPooler();
  await sleep(200);
  const [row] = await sql<{ file: string }[]>`select pg_read_file('postmaster.pid') as file`;
  const postmaster = Number.parseInt(row?.file ?? '', 10);
  const before = ticks(postmaster);
  await work();
  return (ticks(postmaster) - before) / TICKS;
}

function ticks(postmaster: number): number {
  let sum = 0;
  for (const entry of readdirSync('/proc')) {
    const fields = statFields(entry);
    if (fields === undefined) continue;
    const [, parent] = fields;
    const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15).map(Number);
    if (Number(entry) === postmaster) sum += user + system + childrenUser + childrenSystem;
    else if (Number(parent) === postmaster) sum += user + system;
  }
  return sum;
}

/** Fields of /proc/<pid>/stat from the third on, which is the state; the name before it may hold anything. */
export function statFields(pid: string): string[] | undefined {
  if (!/^\d+$/.test(pid)) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
