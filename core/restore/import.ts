import type { ArchiveStore } from '../archive-store.ts';
import type { Clock, Log } from '../ports.ts';
import { ArchiverError } from '../errors.ts';
import type { ImportSource, RestoreDatabase } from './database.ts';

/** What follows a call of `build`. */
export interface BuildProgress {
  /** `build`: there is more. `wait`: the server still runs a statement of an earlier call. `prove`: all are done. */
  readonly next: 'build' | 'wait' | 'prove';
  readonly waitSeconds: number;
  /** Ranges of the proof that are not read yet, once all statements are done. */
  readonly ranges: readonly number[];
}

/** A call begins no further statement after this long, so that the next long index has a call of its own. */
const LONG_ENOUGH_MS = 30_000;
/** Nine events of an execution's 25,000 for each look: four days of indexes fit, where half a minute leaves less than one. */
export const WAIT_SECONDS = 120;

/** Objects of the archive for an import; `hasAwsS3` is whether the database may read them itself. */
export function importSource(
  store: Pick<ArchiveStore, 'bucket' | 'region' | 'current' | 'read'>,
  hasAwsS3: boolean,
): ImportSource {
  return {
    bucket: store.bucket,
    region: store.region,
    hasAwsS3,
    readCurrent: async function* (key, text) {
      const { versionId } = await store.current(key);
      yield* store.read(key, versionId, text);
    },
  };
}

/** Imports one segment; one that is imported already is left alone. */
export async function importSegment(
  restoreId: number,
  segmentNumber: number,
  from: ImportSource,
  { database, log }: { readonly database: RestoreDatabase; readonly log: Log },
): Promise<void> {
  const rows = await database.importSegment(restoreId, segmentNumber, from);
  if (rows !== null) log.info('import', { restoreId, segmentNumber, rows });
}

/**
 * Runs statements that follow the data, one at a time: keys, indexes, statistics, triggers, comments. An index may take
 * longer than the caller has: the server then continues alone, and the next call waits for it.
 */
export async function build(
  restoreId: number,
  { database, clock, log }: { readonly database: RestoreDatabase; readonly clock: Clock; readonly log: Log },
): Promise<BuildProgress> {
  const began = clock.now().getTime();
  try {
    for (;;) {
      const done = await database.runNextStatement(restoreId);
      if (done === null)
        return { next: 'prove', waitSeconds: 0, ranges: await database.planProof(restoreId) };
      log.info('build', { restoreId, statement: done });
      if (clock.now().getTime() - began > LONG_ENOUGH_MS)
        return { next: 'build', waitSeconds: 0, ranges: [] };
    }
  } catch (error) {
    if (!(error instanceof ArchiverError && error.code === 'SegmentBusy')) throw error;
    return { next: 'wait', waitSeconds: WAIT_SECONDS, ranges: [] };
  }
}
