import type { Readable } from 'node:stream';
import { readManifest, type ArchiveStore } from './archive-store.ts';
import { ArchiverError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import type { Clock, Log } from './ports.ts';
import { withLockTries } from './retry.ts';
import { compareStreams } from './verify/compare.ts';
import type { LineDigest } from './verify/line-digest.ts';

/** What the ledger says of a partition that is verified anew. */
export interface ReverifyStart {
  readonly archiveId: string;
  readonly manifestKey: string;
  readonly manifestVersionId: string;
  readonly manifestSha256: string;
  /** Segments that were not compared again yet. */
  readonly open: readonly number[];
}

/** The database, as `reverify` needs it. */
export interface ReverifyDatabase {
  /** Fences and seals the table anew, or finds where an earlier call left it; the partition is blocked until the end. */
  begin(partition: number): Promise<ReverifyStart>;
  readSegment<T>(partition: number, segment: number, read: (rows: Readable) => Promise<T>): Promise<T>;
  record(partition: number, segment: number, digest: LineDigest): Promise<void>;
  /** Verified again, if every segment was recorded and the seal of `begin` is unbroken. */
  finish(partition: number, manifestVersionId: string): Promise<void>;
}

type Segment = Manifest['segments'][number];

/**
 * Proves a verified partition, which was not dropped yet, against its archive once more: after a major upgrade, which
 * gives the fence new catalog rows, or in doubt. Fence and seal are made anew, every segment is read from table and
 * archive and compared, and the partition is verified with the manifest that it has. Running it again resumes it.
 */
export async function reverify(
  partition: number,
  ports: {
    readonly database: ReverifyDatabase;
    readonly store: ArchiveStore;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<{ readonly segments: number; readonly rows: number }> {
  const { database, store, clock, log } = ports;
  const start = await withLockTries(clock, () => database.begin(partition));
  const { manifest, sha256 } = await readManifest(store, start.manifestKey, start.manifestVersionId);
  if (sha256 !== start.manifestSha256 || manifest.archiveId !== start.archiveId) {
    throw new ArchiverError('ManifestConflict', `${start.manifestKey} is not the manifest that was recorded`);
  }
  for (const segment of manifest.segments) {
    if (start.open.includes(segment.number)) await compareSegment(partition, segment, ports);
  }
  await database.finish(partition, start.manifestVersionId);
  log.info('reverify', { partition, segments: manifest.segments.length, rows: manifest.contents.rows });
  return { segments: manifest.segments.length, rows: manifest.contents.rows };
}

async function compareSegment(
  partition: number,
  segment: Segment,
  { database, store }: { readonly database: ReverifyDatabase; readonly store: ArchiveStore },
): Promise<void> {
  const verdict = await database.readSegment(partition, segment.number, (rows) =>
    compareStreams(rows, readObjects(segment, store)),
  );
  const problem =
    verdict.kind === 'mismatch'
      ? verdict.differences.join('; ')
      : verdict.digest.sha256 === segment.sha256 && verdict.digest.lineHashSum === segment.lineHashSum
        ? null
        : 'table and archive agree, but not with the manifest';
  if (verdict.kind === 'mismatch' || problem !== null) {
    throw new ArchiverError(
      'ContentMismatch',
      `segment ${segment.number} of partition ${partition} is not what was archived: ${problem ?? ''}`,
    );
  }
  await database.record(partition, segment.number, verdict.digest);
}

async function* readObjects({ objects }: Segment, store: ArchiveStore): AsyncGenerator<Buffer> {
  for (const { key, versionId } of objects) yield* store.read(key, versionId);
}
