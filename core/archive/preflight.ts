import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { displayName, parseDisplayName } from '../config/display-name.ts';
import { ArchiverError } from '../errors.ts';
import { asSentence, inOneLine } from '../in-one-line.ts';
import { withinAll, PAYLOAD_BUDGET } from '../limits.ts';
import type { Log } from '../ports.ts';
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

/** Characters of the problems of one set that a run leaves out. */
const LONGEST_LEFT_OUT = 1_000;

/**
 * Checks the input of an execution and everything that it will need. Throws `InvalidInput` or `PreflightFailed`, each
 * with all problems at once. One set's problems are that set's: the request says what they are and continues with the
 * others, as long as there are any.
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
  const ofSets = sets.map((set) => problems.filter((problem) => isAbout(problem, set)));
  const isGeneral = problems.length > ofSets.flat().length;
  if (problems.length > 0 && (isGeneral || ofSets.every((found) => found.length > 0)))
    throw new ArchiverError('PreflightFailed', problems.map(problemLine).join('\n'));
  const partitionSets = request.partitionSets.filter((_, position) => ofSets[position]?.length === 0);
  const leftOut = sets.flatMap((set, position) => {
    const found = ofSets[position] ?? [];
    if (found.length === 0) return [];
    const message = inOneLine(found.map(problemLine)).slice(0, LONGEST_LEFT_OUT);
    return [{ partitionSet: displayName(set.schema, set.table), message }];
  });
  const checked = { ...request, partitionSets };
  log.info('preflight', { ...checked, ...(leftOut.length > 0 && { leftOut }) });
  if (leftOut.length === 0) return checked;
  const cut = withinAll(leftOut, PAYLOAD_BUDGET.leftOut, (set, begin) => ({
    ...set,
    message: begin(set.message),
  }));
  return { ...checked, leftOut: cut };
}

/** One problem as a line, with the statement or the sentence that fixes it. */
export const problemLine = ({ subject, problem, remedy }: PreflightProblem): string =>
  `${asSentence(`${subject}: ${problem}`)} ${remedy}`.trimEnd();

/** The subject of what concerns one set alone is its name, quoted as PostgreSQL does. */
function isAbout({ subject }: PreflightProblem, set: PartitionSetConfig): boolean {
  const name = parseDisplayName(subject);
  return name?.schema === set.schema && name.table === set.table;
}
