import * as z from 'zod';
import { counted } from '../counted.ts';
import { identifier } from '../config/fields.ts';
import { ArchiverError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { truncate, PAYLOAD_BUDGET } from '../limits.ts';
import { displayName, type PartitionState } from '../partition.ts';
import type { PartitionTableJob } from '../partition-table/database.ts';
import type { Clock, Log } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** What an operator asks for after a major upgrade, or after a database was renamed. */
export interface UpgradeLedgerRequest {
  /** System identifier that the rows have: 64 bits, more than a number of JSON holds. */
  readonly from: string;
  /** Name of the database that the rows have; `null`: the one that it has now. */
  readonly database: string | null;
  /** Leave them behind instead, since the tables were copied and are not those that the rows are of. */
  readonly forget: boolean;
}

/** Of a partition, or of a job of *PartitionTable*. */
type UpgradedState = PartitionState | PartitionTableJob['state'];

/** What became of one row of the ledger, or of one job of *PartitionTable*. */
export interface UpgradedRow {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly was: UpgradedState;
  readonly state: UpgradedState;
  /** In words. */
  readonly remark: string;
}

/** The output of an execution of *UpgradeLedger*. */
export interface UpgradeLedgerReport {
  readonly summary: string;
  readonly partitions: readonly {
    readonly id: number;
    readonly partition: string;
    readonly was: UpgradedState;
    readonly state: UpgradedState;
    readonly remark: string;
  }[];
  /** How many more there are than the list has room for; `partition_archiver.event` has them all. */
  readonly notShown: number;
  /** What to do next. */
  readonly nextStep: string;
}

/** Whose rows the ledger has, although this is not that system, or not called so. */
export type IdentityMismatch = Readonly<{ from: string; database: string }>;

/** The database, as `upgrade-ledger` needs it. */
export interface UpgradeLedgerDatabase {
  /** All rows or none. `PreflightFailed` where this is not that system's database after an upgrade. */
  upgradeLedger(request: UpgradeLedgerRequest): Promise<readonly UpgradedRow[]>;
  identityMismatches(): Promise<readonly IdentityMismatch[]>;
}

const IDENTIFIER = 'must be a system identifier in quotes, such as "7301234567890123456"';

/** Input of *UpgradeLedger*. */
export const upgradeLedgerSchema = z.strictObject({
  from: z.string(IDENTIFIER).refine(isIdentifier, IDENTIFIER),
  database: identifier.nullable().default(null),
  forget: z.boolean('must be true or false').default(false),
});

/** 64 bits, with a sign, as PostgreSQL shows them. */
function isIdentifier(text: string): boolean {
  return /^-?[0-9]{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Reads `{ from, database?, forget? }`. Throws `InvalidInput` with every mistake at once. */
export function parseUpgradeLedgerRequest(input: unknown): UpgradeLedgerRequest {
  return parseInput(upgradeLedgerSchema, input);
}

/**
 * Makes the ledger's rows of before a major upgrade or a rename rows of what the database is now, so that what was archived,
 * restored or released stays so. Running it again changes nothing.
 */
export async function upgradeLedger(
  request: UpgradeLedgerRequest,
  {
    database,
    clock,
    log,
  }: { readonly database: UpgradeLedgerDatabase; readonly clock: Clock; readonly log: Log },
): Promise<UpgradeLedgerReport> {
  const rows = await withLockTries(clock, () => database.upgradeLedger(request));
  const identityMismatches = await database.identityMismatches();
  if (rows.length === 0 && identityMismatches.length > 0) {
    const others = identityMismatches.map(
      ({ from, database: name }) => `database ${name} of the system ${from}`,
    );
    throw new ArchiverError(
      'InvalidInput',
      `the ledger has no live rows of ${whose(request)}; it has some of ${others.join(', ')}`,
    );
  }
  log.info('upgrade-ledger', { ...request, rows: rows.length });
  const all = rows.map(({ id, schema, table, was, state, remark }) => ({
    id,
    partition: displayName(schema, table),
    was,
    state,
    remark,
  }));
  const partitions = truncate(all, PAYLOAD_BUDGET.partitions);
  return {
    summary: summaryOf(request, rows),
    partitions,
    notShown: all.length - partitions.length,
    nextStep: nextOf(rows, identityMismatches),
  };
}

const whose = ({ from, database }: UpgradeLedgerRequest): string =>
  `${database === null ? '' : `database ${database} of `}the system ${from}`;

function summaryOf(request: UpgradeLedgerRequest, rows: readonly UpgradedRow[]): string {
  if (rows.length === 0) return `there are no rows of ${whose(request)} to upgrade`;
  const counts = new Map<UpgradedState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(', ');
  return `${counted(rows.length, 'row')} of ${whose(request)} ${request.forget ? 'forgotten' : 'upgraded'}: ${states}`;
}

function nextOf(rows: readonly UpgradedRow[], identityMismatches: readonly IdentityMismatch[]): string {
  const unproven = rows.some(({ was, state }) => was === 'verified' && state === 'blocked');
  return [
    ...identityMismatches.map((mismatch) => `Start UpgradeLedger with ${JSON.stringify(mismatch)}.`),
    ...(unproven ? ['Start Reverify with {"all": "verified"}.'] : []),
    'Look at what the next run would do: start Archive with {"dryRun": true}.',
  ].join(' ');
}
