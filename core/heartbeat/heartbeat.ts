import { measure, type Metrics, type ProgressDatabase } from '../archive/progress.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { DAY_MS } from '../expiry.ts';
import type { Log } from '../ports.ts';
import type { LastSuccessMetrics, PeriodicCheck } from './last-success.ts';

/** What the heartbeat is told by its state machine. */
export interface HeartbeatInput {
  /** When the archiver was deployed first, as ISO 8601. */
  readonly deployedAt: string;
}

/** The database, as `heartbeat` needs it. */
export interface HeartbeatDatabase extends ProgressDatabase {
  /**
   * Days since each was last successful; `null` where it never was. Of drills and audits, the days since the first run then,
   * and `null` before that.
   */
  daysSinceSuccess(): Promise<Readonly<Record<PeriodicCheck, number | null>>>;
  /** Days since the oldest job of *PartitionTable* began that is neither swapped nor rolled back; 0 without one. */
  daysInPartitioning(): Promise<number>;
}

/** Where the heartbeat publishes. */
export interface HeartbeatMetrics extends LastSuccessMetrics, Pick<Metrics, 'partitionSet'> {
  deployment(daysAgo: number): void;
  partitioning(days: number): void;
}

/** The output of an execution. */
export interface Heartbeat {
  readonly daysSinceDeployment: number;
  readonly prepared: boolean;
  readonly daysSinceSuccess?: Readonly<Record<PeriodicCheck, number | null>>;
}

const CHECKS = ['run', 'drill', 'audit'] as const satisfies readonly PeriodicCheck[];

/**
 * Publishes once a day what no run can tell: that there was none. The age of the deployment comes first, so that it is
 * known even where the database cannot be asked. A database that is not prepared is no failure here: the runs fail.
 */
export async function heartbeat(
  { deployedAt }: HeartbeatInput,
  config: RuntimeConfig,
  {
    database,
    metrics,
    log,
  }: {
    readonly database: HeartbeatDatabase;
    readonly metrics: HeartbeatMetrics;
    readonly log: Log;
  },
  now: Date,
): Promise<Heartbeat> {
  const daysSinceDeployment = (now.getTime() - Date.parse(deployedAt)) / DAY_MS;
  metrics.deployment(daysSinceDeployment);
  const days = await unlessNotPrepared(database.daysSinceSuccess());
  log.info('heartbeat', { daysSinceDeployment, ...days });
  if (days === undefined) return { daysSinceDeployment, prepared: false };
  for (const what of CHECKS) {
    if (days[what] !== null) metrics.lastSuccess(what, days[what]);
  }
  metrics.partitioning(await database.daysInPartitioning());
  await measure({ partitionSets: config.partitionSets.map((_, index) => index) }, config, {
    database,
    metrics,
    log,
  });
  return { daysSinceDeployment, prepared: true, daysSinceSuccess: days };
}

async function unlessNotPrepared<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'NotPrepared') return undefined;
    throw error;
  }
}
