import type { Account } from './account.ts';

/** One thing that is done in the account and then asserted. */
export interface Step {
  readonly name: string;
  /** What it shows, for people who watch. */
  readonly shows: string;
  /** Returns what was found, in words. Throws what is not as it should be. */
  run(account: Account): Promise<string>;
}

/** A step of two parts: what is done, and what has to be true of what came of it. */
export function step<Found>(
  name: string,
  shows: string,
  run: (account: Account) => Promise<Found>,
  check: (found: Found) => string,
): Step {
  return { name, shows, run: async (account) => check(await run(account)) };
}

/** Fails the step unless it is so. */
export function must(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}
