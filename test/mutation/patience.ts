import type { Ending } from './mutant.ts';

/** All unit tests of core/: 25 s on a quiet machine, more than 300 at a load of 15. */
export const LONG_PATIENCE_MS = 900_000;

/** A mutant that makes tests this much slower is noticed. */
const TIMES_AS_LONG = 10;

type Run = (patienceMs: number) => Promise<Ending>;

/**
 * How the tests of a mutant end. Those that are not over in time may be slow because the machine is busy: they are run
 * without the mutant, and then with it again, for ten times as long as that took.
 */
export async function confirmedEnding(
  patienceMs: number,
  run: Run,
  runUnchanged: Run,
  now = (): number => performance.now(),
): Promise<Ending> {
  const first = await run(patienceMs);
  if (first !== 'hung') return first;
  const started = now();
  const unchanged = await runUnchanged(LONG_PATIENCE_MS);
  if (unchanged !== 'passed') throw new Error(`without the mutant, its tests ${unchanged}`);
  return run(Math.max(patienceMs, TIMES_AS_LONG * (now() - started)));
}
