import * as z from 'zod';
import { readManifest, type ArchiveStore } from './archive-store.ts';
import { wholeNumber } from './config/fields.ts';
import { ArchiverError } from './errors.ts';
import { manifestKeys } from './find/keys.ts';
import { parseInput } from './input.ts';
import type { LastGoodMetrics } from './last-good.ts';
import type { Clock, Log } from './ports.ts';
import { inRandomOrder } from './random.ts';
import { reasonOf, type StepFailure } from './record-failure.ts';
import { isExpired } from './restore/check.ts';
import type { RestoreDatabase } from './restore/database.ts';
import type { PlannedArchive } from './restore/plan.ts';
import { requireProof } from './restore/prove.ts';
import { retrievalSchema, type Retrieval } from './restore/request.ts';

/** What a drill works on. */
export interface DrillPlan {
  readonly next: 'drill' | 'done';
  /** `null`: there is no archive yet. */
  readonly archive: PlannedArchive | null;
  readonly retrieval: Retrieval;
}

/** A good drill. */
export interface GoodDrill {
  readonly manifestKey: string;
  readonly rows: number;
  readonly bytes: number;
  /** From its beginning to the drop of its table. */
  readonly seconds: number;
}

/** The database, as a drill needs it besides the steps of a restore. */
export interface DrillDatabase {
  /** Records a proven drill and drops its table, in one transaction. */
  endDrill(restore: number): Promise<GoodDrill>;
  /** Drops what drills have left behind that began longer ago; answers how many did. */
  abandonOldDrills(olderThanDays: number): Promise<number>;
}

const drillSchema = z.strictObject({
  // 10 TiB.
  maxMiB: wholeNumber(1, 10_485_760).default(1024),
  // Bulk costs least, and a drill has time.
  retrieval: retrievalSchema({ tier: 'Bulk', days: 3 }),
});
/** Manifests that are read at most until one of an archive that is small enough is found. */
const LOOKS = 500;
/** Longer than an execution of *Drill* may take: what is older is left over. */
const LEFT_OVER_DAYS = 5;

/**
 * Picks an archive at random, from the manifests alone, of at most `maxMiB` of data, that has not expired. Throws `InvalidInput` with every
 * mistake of the input at once, or where no archive is small enough; and `ManifestInvalid` where the manifest that it
 * picked cannot be trusted, which is what a drill is to find.
 */
export async function pickArchive(
  input: unknown,
  {
    store,
    database,
    random,
    clock,
    log,
  }: {
    readonly store: ArchiveStore;
    readonly database: string;
    readonly random: () => number;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<DrillPlan> {
  const { maxMiB, retrieval } = parseInput(drillSchema, input);
  const keys = await Array.fromAsync(manifestKeys({ database }, store));
  if (keys.length === 0) return { next: 'done', archive: null, retrieval };
  let looks = 0;
  for (const manifestKey of inRandomOrder(keys, random)) {
    if (looks === LOOKS) break;
    looks += 1;
    const { manifest, object } = await readManifest(store, manifestKey);
    if (manifest.contents.bytes > maxMiB * 1024 ** 2) continue;
    if (await isExpired(manifest, store, clock.now())) continue;
    log.info('pick-archive', { manifest: manifestKey, bytes: manifest.contents.bytes });
    return { next: 'drill', archive: { manifestKey, manifestVersionId: object.versionId }, retrieval };
  }
  throw new ArchiverError('InvalidInput', `maxMiB: no archive of at most ${maxMiB} MiB was found; raise it`);
}

interface Ports {
  readonly database: RestoreDatabase & DrillDatabase;
  readonly metrics: LastGoodMetrics;
  readonly log: Log;
}

/** Ends a drill: compares what was read with the manifest, drops the table, and records that it was good. */
export async function endDrill(
  restore: number,
  { database, metrics, log }: Ports,
): Promise<GoodDrill & { readonly summary: string }> {
  await requireProof(restore, database);
  const drill = await database.endDrill(restore);
  metrics.lastGood('drill', 0);
  await dropLeftOver(database, log);
  log.info('drill', { ...drill });
  const { manifestKey, rows, bytes, seconds } = drill;
  return {
    summary: `${manifestKey} was restored, proven and dropped again (${rows} rows, ${bytes} bytes, ${seconds} s)`,
    ...drill,
  };
}

/** Drops the tables of drills that were killed. A table that somebody holds does not spoil a good drill: the next tries again. */
async function dropLeftOver(database: DrillDatabase, log: Log): Promise<void> {
  try {
    await database.abandonOldDrills(LEFT_OVER_DAYS);
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    log.warn('left over', { error: error.code, message: error.message });
  }
}

/** Drops what a drill that failed has made, and fails: `DrillFailed` with what went wrong. */
export async function abandonDrill(
  { archive, restore, failure }: FailedDrill,
  { database, log }: Pick<Ports, 'database' | 'log'>,
): Promise<never> {
  const { code, reason } = reasonOf(failure);
  const what = `${archive.manifestKey}: ${code}, ${reason}`;
  log.warn('drill failed', { manifest: archive.manifestKey, code });
  if (restore !== null) await database.abandon(restore);
  throw new ArchiverError('DrillFailed', what);
}

/** What is known of a drill that failed. */
export interface FailedDrill {
  readonly archive: PlannedArchive;
  /** `null` where it was not begun. */
  readonly restore: number | null;
  readonly failure: StepFailure;
}
