import { mapAtOnce, type ArchiveStore } from './archive-store.ts';
import { ArchiverError } from './errors.ts';
import type { Clock, Log } from './ports.ts';
import { beginRestore } from './restore/begin.ts';
import { attach, bringOut, type Restored } from './restore/bring-out.ts';
import type { RestoreDatabase } from './restore/database.ts';
import { build, importSegment } from './restore/load.ts';
import { proveRange } from './restore/prove.ts';
import { parseRestoreRequest, type ArchiveRef, type RestoreOptions, type Retrieval } from './restore/request.ts';
import { retrieve } from './restore/retrieve.ts';

/** What a restore in this process works with. */
export interface RestorePorts {
  readonly database: RestoreDatabase;
  readonly store: ArchiveStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Segments imported, and ranges read, at the same time; each uses a connection. */
  readonly segmentsAtOnce: number;
}

/**
 * Restores one archive in this process, in the order of the state machine *Restore*: what the local command does, where
 * there is no Step Functions. Running it again resumes a restore that was interrupted.
 */
export async function restore(input: unknown, ports: RestorePorts): Promise<Restored> {
  const { archives, options } = parseRestoreRequest(input);
  if (!('manifestKey' in archives)) {
    throw new ArchiverError('InvalidInput', 'manifestKey: is missing');
  }
  return restoreArchive(archives, options, ports);
}

/** The same for one archive of a plan. */
export async function restoreArchive(
  archive: ArchiveRef,
  options: RestoreOptions,
  ports: RestorePorts,
): Promise<Restored> {
  await untilReadable(archive, options.retrieval, ports);
  const begun = await beginRestore(archive, options, ports);
  if (begun.restore !== null) await load(begun.restore, begun.segments, ports);
  const partition = begun.partition ?? (await bringOut(begun.restore ?? 0, ports)).partition;
  return attach(partition, options, ports);
}

/** Waits for S3 to make what lies in a Glacier tier readable. */
export async function untilReadable(
  archive: ArchiveRef,
  retrieval: Retrieval,
  ports: Pick<RestorePorts, 'store' | 'clock' | 'log'>,
): Promise<void> {
  for (;;) {
    const { readable, waitSeconds } = await retrieve(archive, retrieval, ports);
    if (readable) return;
    await ports.clock.sleep(waitSeconds * 1_000);
  }
}

/** From the bare table to the last range of its proof. */
export async function load(restore: number, segments: readonly number[], ports: RestorePorts): Promise<void> {
  const { store, segmentsAtOnce, clock } = ports;
  await mapAtOnce(segments, segmentsAtOnce, (segment) => importSegment(restore, segment, store, ports));
  let progress = await build(restore, ports);
  while (progress.next !== 'prove') {
    await clock.sleep(progress.waitSeconds * 1_000);
    progress = await build(restore, ports);
  }
  await mapAtOnce(progress.ranges, segmentsAtOnce, (range) => proveRange(restore, range, ports));
}
