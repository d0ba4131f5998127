import type { PartitionSetConfig } from './config/partition-set.ts';
import type { RuntimeConfig } from './config/runtime.ts';
import { ArchiverError } from './errors.ts';
import type { Log } from './ports.ts';
import { parseRequest, type Request } from './request.ts';

/** Something that would make the run fail, found before anything was changed. */
export interface PreflightProblem {
  /** What it is about: a partition set, a role, an extension, the bucket. */
  readonly subject: string;
  readonly problem: string;
  /** The way out: a statement, or a sentence. */
  readonly remedy: string;
}

/** Database and bucket, as `preflight` needs them; and where tables are read past the proxy, that place. */
export interface PreflightPorts {
  readonly database: { problems(sets: readonly PartitionSetConfig[]): Promise<readonly PreflightProblem[]> };
  readonly bucket: { problems(): Promise<readonly PreflightProblem[]> };
  readonly reading?: { problems(): Promise<readonly PreflightProblem[]> };
  readonly log: Log;
}

/**
 * Checks the input of an execution and everything that it will need. Throws `InvalidInput` or `PreflightFailed`, each
 * with all problems at once.
 */
export async function preflight(
  input: unknown,
  config: RuntimeConfig,
  { database, bucket, reading, log }: PreflightPorts,
  now: Date,
): Promise<Request> {
  const request = parseRequest(input, config, now);
  const sets = request.partitionSets.flatMap((index) => config.partitionSets[index] ?? []);
  const looks = [database.problems(sets), bucket.problems()];
  if (reading !== undefined) looks.push(reading.problems());
  const problems = (await Promise.all(looks)).flat();
  if (problems.length > 0) {
    const lines = problems.map(({ subject, problem, remedy }) => `${subject}: ${problem}. ${remedy}`);
    throw new ArchiverError('PreflightFailed', lines.join('\n'));
  }
  log.info('preflight', { ...request });
  return request;
}
