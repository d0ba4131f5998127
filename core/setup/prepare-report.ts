import { ArchiverError } from '../errors.ts';
import { truncateLines, PAYLOAD_BUDGET, TEXT_BUDGET } from '../limits.ts';
import { problemLine, type PreflightProblem } from '../archive/preflight.ts';
import type { Preparation } from './prepare.ts';

/** A database that is ready: what was done, and what is worth a look, each with what to do about it. */
export interface PreparationReport {
  readonly state: 'ready';
  readonly done: readonly string[];
  readonly advice: readonly string[];
}

/** The report of a preparation. `PreflightFailed` with all problems, and with what was done, where it is not ready. */
export function preparationReport({ done, problems, advice }: Preparation): PreparationReport {
  const lines = (list: readonly PreflightProblem[], room: number): readonly string[] =>
    truncateLines(list.map(problemLine), room);
  if (problems.length === 0) return { state: 'ready', done, advice: lines(advice, PAYLOAD_BUDGET.warnings) };
  const missing = lines(problems, TEXT_BUDGET.message);
  const soFar = done.length === 0 ? 'nothing was done' : `done: ${done.join('; ')}`;
  throw new ArchiverError('PreflightFailed', ['still missing:', ...missing, soFar].join('\n'));
}
