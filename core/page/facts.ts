import type { LedgerRow, PartitionState } from '../partition.ts';

/** A period of a partition set, as the ledger has it. */
export interface PeriodFacts {
  readonly period: string;
  readonly state: PartitionState;
  /** First digits of the id of its archive; `null` where there is none. */
  readonly archive: string | null;
  /** Code and reason, where it is blocked. */
  readonly blocked?: readonly [code: string, reason: string];
}

/** A partition set, the oldest period first. */
export interface SetFacts {
  readonly schema: string;
  readonly table: string;
  /** What the keys of its archives begin with. There are several where the database was renamed. */
  readonly prefixes: readonly string[];
  readonly periods: readonly PeriodFacts[];
  /** Older periods, which are left out. */
  readonly older: number;
}

/** What the page is told by the database; all else is in the bucket. */
export interface PageFacts {
  readonly sets: readonly SetFacts[];
  /** The last audit that found everything intact, and the last drill that restored an archive: when, as ISO 8601. */
  readonly lastAudit: string | null;
  readonly lastDrill: string | null;
}

/** The database, as the page needs it. */
export interface PageDatabase {
  rows(): Promise<readonly LedgerRow[]>;
  lastChecks(): Promise<{ readonly audit: Date | null; readonly drill: Date | null }>;
}

/** Digits of an archive's id that tell it from others of its period. */
export const ID_DIGITS = 8;

/** Periods of all sets together, which a page of 1 MB has room for: a hundred sets of ten years. */
const MOST_PERIODS = 12_000;
/** Reasons of blocked partitions, and the length of one. */
const MOST_REASONS = 100;
const LONGEST_REASON = 400;

/** Reads what the page shows of the ledger: of each set the latest periods. */
export async function pageFacts(database: PageDatabase): Promise<PageFacts> {
  return factsOf(await database.rows(), await database.lastChecks(), MOST_PERIODS);
}

/**
 * The same, as `form` makes it: with half of the periods each time that `form` returns `null` as it is too long. `null` where
 * even one period of each set is.
 */
export async function fittingFacts<T>(
  database: PageDatabase,
  form: (facts: PageFacts) => T | null,
): Promise<T | null> {
  const [rows, checks] = [await database.rows(), await database.lastChecks()];
  for (let most = MOST_PERIODS; most > 0; most = Math.floor(most / 2)) {
    const formed = form(factsOf(rows, checks, most));
    if (formed !== null) return formed;
  }
  return null;
}

/** What the page shows of these rows: `mostPeriods` of all sets together. */
function factsOf(
  rows: readonly LedgerRow[],
  { audit, drill }: Awaited<ReturnType<PageDatabase['lastChecks']>>,
  mostPeriods: number,
): PageFacts {
  const sets = Map.groupBy(rows, ({ parentSchema, parentTable }) =>
    JSON.stringify([parentSchema, parentTable]),
  );
  const most = Math.max(1, Math.floor(mostPeriods / Math.max(1, sets.size)));
  let reasons = 0;
  const periodOf = (row: LedgerRow): PeriodFacts => {
    const { period, state, manifestKey, blockedCode, blockedReason } = row;
    const isExplained = state === 'blocked' && blockedReason !== null && (reasons += 1) <= MOST_REASONS;
    return {
      period,
      state,
      archive: manifestKey === null ? null : archiveIn(manifestKey),
      ...(isExplained && { blocked: [blockedCode ?? '', blockedReason.slice(0, LONGEST_REASON)] }),
    };
  };
  return {
    sets: [...sets.values()].map((all) => {
      const { parentSchema: schema = '', parentTable: table = '' } = all[0] ?? {};
      const keys = all.flatMap(({ manifestKey }) => manifestKey ?? []);
      const prefixes = [...new Set(keys.map((key) => `${key.split('/').slice(0, 3).join('/')}/`))];
      const older = Math.max(0, all.length - most);
      return { schema, table, prefixes, periods: all.slice(older).map(periodOf), older };
    }),
    lastAudit: audit?.toISOString() ?? null,
    lastDrill: drill?.toISOString() ?? null,
  };
}

/** `<database>/<schema>/<table>/<period>/manifest/<archive id>.json` */
const archiveIn = (manifestKey: string): string => manifestKey.split('/')[5]?.slice(0, ID_DIGITS) ?? '';
