import type { ArchiveStore } from '../archive-store.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import { DAY_MS } from '../expiry.ts';
import { setPrefix } from '../keys.ts';
import { storedArchives } from '../page/storage.ts';
import type { Clock, Log } from '../ports.ts';
import { LEAST_DAYS_LEFT } from './convert-parts.ts';

/** Publishes for how long archives have had no copy. */
export interface CopyMetrics {
  withoutCopy(days: number): void;
}

/** The output of the step. */
export interface LateCopies {
  /** Archives without a copy whose text can be read at once. */
  readonly archives: number;
  /** Days since the text of the oldest of them was exported; 0 without one. S3 counts the days of a tier from then, too. */
  readonly days: number;
}

/**
 * Publishes for how long the oldest archive without a Parquet copy has been waiting for one, of the sets with `query`. It lists
 * the bucket, and so does not depend on executions of *Convert*. Text in a Glacier tier is not counted, since it cannot be
 * converted there, nor text that expires so soon that no copy is made.
 */
export async function lateCopies(
  { partitionSets, expiry }: Pick<RuntimeConfig, 'partitionSets' | 'expiry'>,
  {
    store,
    databases,
    metrics,
    clock,
    log,
  }: {
    readonly store: Pick<ArchiveStore, 'versions'>;
    /** The name of the database, and those that it had before. */
    readonly databases: readonly string[];
    readonly metrics: CopyMetrics;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<LateCopies> {
  const now = clock.now().getTime();
  const longest = expiry === undefined ? Infinity : expiry.days - LEAST_DAYS_LEFT;
  const ages: number[] = [];
  for (const { schema, table, query } of partitionSets) {
    if (!query) continue;
    const prefixes = databases.map((database) => setPrefix(database, schema, table));
    const archives = await storedArchives(prefixes, store);
    for (const { exportedAt, copyBytes, isCold } of archives.values()) {
      if (exportedAt === null || copyBytes !== null || isCold) continue;
      const days = (now - exportedAt.getTime()) / DAY_MS;
      if (days < longest) ages.push(days);
    }
  }
  const late = { archives: ages.length, days: ages.reduce((most, days) => Math.max(most, days), 0) };
  log.info('late-copies', { ...late });
  metrics.withoutCopy(late.days);
  return late;
}
