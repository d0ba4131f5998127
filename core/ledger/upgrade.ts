import * as z from 'zod';
import { identifier } from '../config/fields.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { fitting, ROOM } from '../limits.ts';
import { displayName, type PartitionState } from '../partition.ts';
import type { PartitionTableJob } from '../partition-table/database.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** What an operator asks for after a major upgrade, or after a database was renamed. */
export interface MoveInRequest {
  /** System identifier that the rows have: 64 bits, more than a number of JSON holds. */
  readonly from: string;
  /** Name of the database that the rows have; `null`: the one that it has now. */
  readonly database: string | null;
  /** Leave them behind instead, since the tables were copied and are not those that the rows are of. */
  readonly leave: boolean;
}

/** Of a partition, or of a job of *PartitionTable*. */
type MovedState = PartitionState | PartitionTableJob['state'];

/** What became of one row of the ledger, or of one job of *PartitionTable*. */
export interface MovedRow {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly was: MovedState;
  readonly state: MovedState;
  /** In words. */
  readonly remark: string;
}

/** The output of an execution of *MoveIn*. */
export interface MoveInReport {
  readonly summary: string;
  readonly partitions: readonly {
    readonly id: number;
    readonly partition: string;
    readonly was: MovedState;
    readonly state: MovedState;
    readonly remark: string;
  }[];
  /** How many more there are than the list has room for; `partition_archiver.event` has them all. */
  readonly notShown: number;
  /** What to do next. */
  readonly then: string;
}

/** Whose rows the ledger has, although this is not that system, or not called so. */
export type Stranger = Readonly<{ from: string; database: string }>;

/** The database, as `move-in` needs it. */
export interface MoveInDatabase {
  /** All rows or none. `PreflightFailed` where this is not that system's database after an upgrade. */
  moveIn(request: MoveInRequest): Promise<readonly MovedRow[]>;
  strangers(): Promise<readonly Stranger[]>;
}

const IDENTIFIER = 'must be a system identifier in quotes, such as "7301234567890123456"';

const moveInSchema = z.strictObject({
  from: z.string(IDENTIFIER).refine(isIdentifier, IDENTIFIER),
  database: identifier.nullable().default(null),
  leave: z.boolean('must be true or false').default(false),
});

/** 64 bits, with a sign, as PostgreSQL shows them. */
function isIdentifier(text: string): boolean {
  return /^-?[0-9]{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Reads `{ from, database?, leave? }`. Throws `InvalidInput` with every mistake at once. */
export function parseMoveInRequest(input: unknown): MoveInRequest {
  return parseInput(moveInSchema, input);
}

/**
 * Makes the ledger's rows of before a major upgrade or a rename rows of what the database is now, so that what was archived,
 * restored or released stays so. Running it again changes nothing.
 */
export async function moveIn(
  request: MoveInRequest,
  { database, clock, log }: { readonly database: MoveInDatabase; readonly clock: Clock; readonly log: Log },
): Promise<MoveInReport> {
  const rows = await withLockTries(clock, () => database.moveIn(request));
  const strangers = await database.strangers();
  if (rows.length === 0 && strangers.length > 0) {
    const others = strangers.map(({ from, database: name }) => `database ${name} of the system ${from}`);
    throw new ArchiverError(
      'InvalidInput',
      `the ledger has no live rows of ${whose(request)}; it has some of ${others.join(', ')}`,
    );
  }
  log.info('move-in', { ...request, rows: rows.length });
  const all = rows.map(({ id, schema, table, was, state, remark }) => ({
    ...{ id, partition: displayName(schema, table), was, state, remark },
  }));
  const partitions = fitting(all, ROOM.partitions);
  return {
    summary: summaryOf(request, rows),
    partitions,
    notShown: all.length - partitions.length,
    then: nextOf(rows, strangers),
  };
}

const whose = ({ from, database }: MoveInRequest): string =>
  `${database === null ? '' : `database ${database} of `}the system ${from}`;

function summaryOf(request: MoveInRequest, rows: readonly MovedRow[]): string {
  if (rows.length === 0) return `there are no rows of ${whose(request)} to move in`;
  const counts = new Map<MovedState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(', ');
  return `${String(rows.length)} rows of ${whose(request)} ${request.leave ? 'left behind' : 'moved in'}: ${states}`;
}

function nextOf(rows: readonly MovedRow[], strangers: readonly Stranger[]): string {
  const unproven = rows.some(({ was, state }) => was === 'verified' && state === 'blocked');
  return [
    ...strangers.map((stranger) => `Start MoveIn with ${JSON.stringify(stranger)}.`),
    ...(unproven ? ['Start Reverify with {"all": "verified"}.'] : []),
    'Look at what the next run would do: start Archive with {"dryRun": true}.',
  ].join(' ');
}
