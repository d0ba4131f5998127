import * as z from 'zod';
import { counted } from '../counted.ts';
import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { wholeNumber } from '../config/fields.ts';
import { ArchiverError } from '../errors.ts';
import { manifestKeys } from '../audit/manifest-keys.ts';
import { ACCEPTED, truncateLines, TEXT_BUDGET } from '../limits.ts';
import { parseInput } from '../input.ts';
import type { LastSuccessMetrics } from '../heartbeat/last-success.ts';
import type { Clock, Log } from '../ports.ts';
import { withPauses } from '../retry.ts';
import { inRandomOrder } from '../random.ts';
import { reasonOf, type StepFailure } from '../archive/record-failure.ts';
import { isExpired } from './check.ts';
import { unmadeLine } from './publish.ts';
import type { RestoreDatabase, Unmade } from './database.ts';
import type { PlannedArchive } from './plan.ts';
import { requireProof } from './prove.ts';
import { retrievalSchema, type Retrieval } from './request.ts';

/** What a drill works on. */
export interface DrillPlan {
  readonly next: 'drill' | 'done';
  /** `null`: there is no archive yet. */
  readonly archive: PlannedArchive | null;
  readonly retrieval: Retrieval;
}

/** A good drill. */
export interface SuccessfulDrill {
  readonly manifestKey: string;
  readonly rows: number;
  readonly bytes: number;
  /** From its beginning to the drop of its table. */
  readonly seconds: number;
  /** What a restore of it would lack; a finding, since the rows are proven. */
  readonly unmade: readonly Unmade[];
}

/** The database, as a drill needs it besides the steps of a restore. */
export interface DrillDatabase {
  /** Records a proven drill and drops its table, in one transaction. */
  finishDrill(restoreId: number): Promise<SuccessfulDrill>;
  /** Drops what drills have left behind that began longer ago; returns the numbers of those that cannot be dropped now. */
  cancelOldDrills(olderThanDays: number): Promise<readonly number[]>;
}

/** Input of *Drill*. */
export const drillSchema = z.strictObject({
  maxMiB: wholeNumber(...ACCEPTED.drillMiB).default(1024),
  // Bulk costs least, and a drill has time.
  retrieval: retrievalSchema({ tier: 'Bulk', days: 3 }),
});
/** Manifests that are read at most until one of an archive that is small enough is found. */
const LOOKS = 500;
/** Longer than an execution of *Drill* may take: what is older is left over. */
const LEFT_OVER_DAYS = 5;

/**
 * Selects an archive at random, from the manifests alone, of at most `maxMiB` of data, that has not expired. Throws
 * `InvalidInput` with every mistake of the input at once, or where no archive is small enough; `ArchiveExpired` where all
 * have expired; and `ManifestInvalid` where the manifest that it picked cannot be trusted, which is what a drill is to
 * find.
 */
export async function selectArchive(
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
  const passedOver = { larger: 0, expired: 0 };
  for (const manifestKey of inRandomOrder(keys, random)) {
    if (passedOver.larger + passedOver.expired === LOOKS) break;
    const { manifest, object } = await readManifest(store, manifestKey);
    if (manifest.contents.bytes > maxMiB * 1024 ** 2) {
      passedOver.larger += 1;
      continue;
    }
    if (await isExpired(manifest, store, clock.now())) {
      passedOver.expired += 1;
      continue;
    }
    log.info('select-archive', { manifest: manifestKey, bytes: manifest.contents.bytes });
    return { next: 'drill', archive: { manifestKey, manifestVersionId: object.versionId }, retrieval };
  }
  throw nothingToTry(passedOver, maxMiB);
}

function nothingToTry(
  { larger, expired }: { readonly larger: number; readonly expired: number },
  maxMiB: number,
): ArchiverError {
  const found = `of ${counted(larger + expired, 'archive')} looked at`;
  if (larger === 0) return new ArchiverError('ArchiveExpired', `${found}, all have expired`);
  const others = expired === 0 ? '' : `, and the other ${expired} have expired`;
  return new ArchiverError(
    'InvalidInput',
    `maxMiB: ${found}, ${larger} have more than ${maxMiB} MiB of data${others}; raise it`,
  );
}

interface Ports {
  readonly database: RestoreDatabase & DrillDatabase;
  readonly metrics: LastSuccessMetrics;
  readonly log: Log;
}

/** Ends a drill: compares what was read with the manifest, drops the table, and records that it was successful. */
export async function finishDrill(
  restoreId: number,
  { database, metrics, log }: Ports,
): Promise<SuccessfulDrill & { readonly summary: string }> {
  await requireProof(restoreId, database);
  const drill = await database.finishDrill(restoreId);
  metrics.lastSuccess('drill', 0);
  await dropLeftOver(database, log);
  const { manifestKey, rows, bytes, seconds, unmade } = drill;
  log.info('drill', { ...drill, unmade: unmade.length });
  if (unmade.length > 0) log.warn('incomplete', { manifest: manifestKey, unmade });
  const found =
    unmade.length === 0
      ? ''
      : `; INCOMPLETE, its rows are proven but a restore lacks this: ${truncateLines(unmade.map(unmadeLine), TEXT_BUDGET.details).join('; ')}`;
  return {
    summary: `${manifestKey} was restored, proven and dropped again (${counted(rows, 'row')}, ${counted(bytes, 'byte')}, ${seconds} s)${found}`,
    ...drill,
  };
}

/** Drops the tables of drills that were killed. A table that another session holds does not spoil a good drill: the next tries again. */
async function dropLeftOver(database: DrillDatabase, log: Log): Promise<void> {
  try {
    const left = await database.cancelOldDrills(LEFT_OVER_DAYS);
    if (left.length > 0) log.warn('left over', { restores: left });
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    log.warn('left over', { error: error.code, message: error.message });
  }
}

/** Pauses between the tries to drop the table: the server may still be busy with it. */
const DROP_PAUSES_MS = [2_000, 10_000];

/** Drops what a drill that failed has made, and fails: `DrillFailed` with what went wrong, whether it can be dropped or not. */
export async function cancelDrill(
  { archive, restoreId, failure }: FailedDrill,
  { database, clock, log }: Pick<Ports, 'database' | 'log'> & { readonly clock: Clock },
): Promise<never> {
  const { code, reason } = reasonOf(failure);
  log.warn('drill failed', { manifest: archive.manifestKey, code });
  const left = restoreId === null ? '' : await leftBehind(restoreId, { database, clock });
  throw new ArchiverError('DrillFailed', `${archive.manifestKey}: ${code}, ${reason}${left}`);
}

/** Drops the table. If that fails, the message mentions it after the original error. */
async function leftBehind(
  restoreId: number,
  { database, clock }: Pick<Ports, 'database'> & { readonly clock: Clock },
): Promise<string> {
  try {
    await withPauses(
      clock,
      DROP_PAUSES_MS,
      ({ retryable }) => retryable,
      () => database.cancel(restoreId),
    );
    return '';
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    return `; its table could not be dropped (${error.code}, ${error.message}): a later drill does that, or cancel-restore ${restoreId}`;
  }
}

/** What is known of a drill that failed. */
export interface FailedDrill {
  readonly archive: PlannedArchive;
  /** `null` where it was not begun. */
  readonly restoreId: number | null;
  readonly failure: StepFailure;
}
