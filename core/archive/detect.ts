import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import {
  beginning,
  MOST_PARTITIONS,
  truncate,
  truncateLines,
  withinAll,
  PAYLOAD_BUDGET,
  TEXT_BUDGET,
} from '../limits.ts';
import type { PartitionState } from '../partition.ts';
import { displayName } from '../partition.ts';
import type { Log } from '../ports.ts';
import type { Request } from './request.ts';

/** A partition that there may be work for. */
export interface Candidate {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly state: PartitionState;
  readonly lowerBound: string;
  readonly upperBound: string;
  /** By the recorded upper bound, not by the name or pg_partman's reckoning. */
  readonly pastRetention: boolean;
  /** Whether its grace period is over, by the database's clock; `null` where no drop was ever scheduled. */
  readonly due: boolean | null;
}

/** A partition as a dry run describes it. */
export interface Forecast {
  readonly partition: string;
  readonly lowerBound: string;
  readonly upperBound: string;
  /** Whether it is still attached, and maintenance would detach it first. */
  readonly attached: boolean;
  /** The planner's estimate; `null` where the table was never analyzed. */
  readonly rows: number | null;
  readonly bytes: number;
  readonly segments: number;
  /** Rows that refer to it, and so keep it attached; `null` where nothing does. */
  readonly keptBy: string | null;
}

/** A partition that a run would drop. */
export interface ForecastDrop {
  readonly partition: string;
  readonly lowerBound: string;
  readonly upperBound: string;
  /** Of its archive. */
  readonly rows: number;
  /** Of its table when the archive was committed; `null` where that is not known. */
  readonly bytes: number | null;
}

/** The database, as `detect` needs it. */
export interface DetectDatabase {
  /** Oldest bounds first. */
  candidates(set: PartitionSetConfig): Promise<readonly Candidate[]>;
  /** What a run would archive, without changing anything. */
  forecast(
    set: PartitionSetConfig,
    /** Those of this run: what leaves with them refers to nothing any more. */
    sets: readonly PartitionSetConfig[],
  ): Promise<readonly Forecast[]>;
  /** What a run would drop, oldest bounds first, without changing anything. */
  forecastDrops(set: PartitionSetConfig): Promise<readonly ForecastDrop[]>;
}

/** A set that could not be looked at, and why. */
export interface BrokenSet {
  readonly partitionSet: string;
  readonly error: { readonly code: string; readonly message: string };
}

/** What there is to do. */
export interface Detection {
  /** Ledger ids, oldest bounds first. */
  readonly partitions: readonly number[];
  /** How many more there are, for another run. */
  readonly more?: number;
  /** Detached, but by their upper bound not past the retention: left alone until they are. */
  readonly notDue: readonly string[];
  /** Sets whose candidates could not be found. */
  readonly brokenSets?: readonly BrokenSet[];
  /** Only in a dry run of what archives; as many as fit. */
  readonly forecast?: readonly Forecast[];
  /** Only in a dry run of what drops; as many as fit. */
  readonly drops?: readonly ForecastDrop[];
}

/** Finds the partitions to archive and to drop: OIDs that the ledger knows, never names that match a pattern. */
export async function detect(
  request: Request,
  config: RuntimeConfig,
  { database, log }: { readonly database: DetectDatabase; readonly log: Log },
): Promise<Detection> {
  const partitions: number[] = [];
  const notDue: string[] = [];
  const { forecast, drops } = forecastsOf(request);
  const brokenSets: BrokenSet[] = [];
  const sets = request.partitionSets.flatMap((index) => config.partitionSets[index] ?? []);
  const look = async (set: PartitionSetConfig): Promise<void> => {
    forecast?.push(...(await database.forecast(set, sets)));
    if (set.drop && !request.archiveOnly) drops?.push(...(await database.forecastDrops(set)));
    if (request.dryRun) return;
    for (const candidate of await database.candidates(set)) {
      if (candidate.state === 'detached' && !candidate.pastRetention) {
        notDue.push(displayName(candidate.schema, candidate.table));
      } else if (hasWork(candidate, set, request)) partitions.push(candidate.id);
    }
  };
  for (const set of request.mode === 'inventory' ? [] : sets) {
    try {
      await look(set);
    } catch (caught) {
      // One set's trouble is that set's; an error that may pass is tried again with all of them.
      if (!(caught instanceof ArchiverError) || caught.retryable) throw caught;
      const { code, message } = caught;
      const partitionSet = displayName(set.schema, set.table);
      log.warn('set not looked at', { partitionSet, code, reason: message });
      brokenSets.push({ partitionSet, error: { code, message: beginning(message, TEXT_BUDGET.names) } });
    }
  }
  const more = Math.max(0, partitions.length - MOST_PARTITIONS);
  log.info('detect', { partitions: partitions.length, notDue: notDue.length });
  return {
    partitions: partitions.slice(0, MOST_PARTITIONS),
    ...(more > 0 && { more }),
    notDue: truncateLines(notDue, PAYLOAD_BUDGET.notDue),
    ...(brokenSets.length > 0 && { brokenSets: inShares(brokenSets) }),
    ...(forecast !== undefined && { forecast: truncate(forecast, PAYLOAD_BUDGET.forecast) }),
    ...(drops !== undefined && { drops: truncate(drops, PAYLOAD_BUDGET.drops) }),
  };
}

/** Every set, with the beginning of its message. */
const inShares = (sets: readonly BrokenSet[]): BrokenSet[] =>
  withinAll(sets, PAYLOAD_BUDGET.leftOut, ({ partitionSet, error: { code, message } }, begin) => ({
    partitionSet,
    error: { code, message: begin(message) },
  }));

/** The lists of a dry run, empty yet. */
function forecastsOf({ dryRun, mode }: Request): { forecast?: Forecast[]; drops?: ForecastDrop[] } {
  if (!dryRun || mode === 'inventory') return {};
  return mode === 'archive' ? { forecast: [], drops: [] } : { drops: [] };
}

function hasWork(candidate: Candidate, set: PartitionSetConfig, request: Request): boolean {
  if (candidate.state !== 'verified') return request.mode === 'archive';
  if (!set.drop || request.archiveOnly) return false;
  return candidate.due !== false;
}
