import type { ArchiveStore, StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { copyKey, copyManifestKey } from '../keys.ts';
import { PRODUCT, type Manifest } from '../manifest.ts';
import type { Clock, Log, ObjectVersion } from '../ports.ts';
import {
  COPY_FORMAT,
  latestCopy,
  locationOf,
  serializeCopyManifest,
  shapeOf,
  type CopyManifest,
  type StoredCopy,
} from './copy-manifest.ts';
import type { CopyDisk } from './ports.ts';
import { sourceColumns } from './source-columns.ts';
import { writeCopy, type SegmentText, type WrittenSegment } from './write-copy.ts';

/** The archive bucket, as conversion needs it. */
export interface CopyStore extends ArchiveStore {
  /**
   * Puts a file of the local disk under a key that must not exist yet. S3 compares the SHA-256 with what it receives.
   * Returns its version, or `exists` where there is one already.
   */
  createFromFile(
    key: string,
    file: string,
    contents: { readonly bytes: number; readonly sha256: string },
  ): Promise<ObjectVersion | 'exists'>;
}

/** What conversion is wired to. */
export interface ConvertPorts {
  readonly store: CopyStore;
  readonly disk: CopyDisk;
  readonly clock: Clock;
  readonly log: Log;
  /** A few characters that no other attempt has. */
  readonly unique: () => string;
}

/** What became of the conversion of an archive. */
export type Conversion =
  | { readonly kind: 'there'; readonly copy: StoredCopy }
  | { readonly kind: 'converted'; readonly copy: StoredCopy };

/** Copies are uploaded at the end, one after the other: reading and writing text takes far longer. */
type Uploaded = CopyManifest['objects'][number];

/**
 * Makes the Parquet copy of a committed archive: reads the text by VersionId, writes to the local disk, proves from the
 * local disk, and only then uploads, its manifest last. Nothing of the archive is touched. An attempt that was killed
 * leaves objects that no manifest names, and the next one writes others.
 *
 * @param rebuild makes a new generation even if there is a copy
 */
export async function convert(
  stored: StoredManifest,
  { rebuild }: { readonly rebuild: boolean },
  ports: ConvertPorts,
): Promise<Conversion> {
  const { store, disk, clock, log } = ports;
  const { manifest } = stored;
  const found = rebuild ? null : await latestCopy(stored, store);
  if (found !== null) return { kind: 'there', copy: found };
  await requireReadable(manifest, store);
  const location = locationOf(manifest);
  const generation = `${stamp(clock.now())}-${ports.unique()}`;
  const archive = `${location.parentSchema}.${location.parentName} ${location.period}`;
  const fileOf = (segment: number): string => `${generation}-${String(segment)}.parquet`;
  const segments = manifest.segments.filter(({ rows }) => rows > 0).map((segment) => textOf(segment, store));
  try {
    const written = await writeCopy(
      segments,
      {
        source: sourceColumns(manifest),
        fileOf,
        metadata: { 'partition-archiver.archive': manifest.archiveId },
        progress: (what, { number, rows }) => log.info('convert', { archive, segment: number, what, rows }),
      },
      disk,
    );
    const objects: Uploaded[] = [];
    for (const file of written.files) {
      objects.push(await upload(copyKey(location, generation, file.number), file, store));
      disk.remove(file.file);
    }
    const copy: CopyManifest = {
      format: COPY_FORMAT,
      archiveId: manifest.archiveId,
      generation,
      product: { ...PRODUCT },
      madeFrom: { key: stored.object.key, versionId: stored.object.versionId, sha256: stored.sha256 },
      shape: shapeOf(written.columns),
      columns: written.columns.map((column) => ({ ...column })),
      contents: {
        rows: manifest.contents.rows,
        textBytes: manifest.contents.bytes,
        bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
      },
      objects,
      convertedAt: clock.now().toISOString(),
    };
    const key = copyManifestKey(location, generation);
    const object = await store.create(key, serializeCopyManifest(copy), 'application/json');
    if (object === 'exists') throw conflict(key);
    log.info('converted', { archive, rows: copy.contents.rows, bytes: copy.contents.bytes });
    return { kind: 'converted', copy: { manifest: copy, object } };
  } finally {
    for (const { number } of segments) disk.remove(fileOf(number));
  }
}

/** Sorts as time continues: the latest generation comes last. */
const stamp = (now: Date): string => now.toISOString().replaceAll(/[-:]|\.\d+/g, '');

function textOf(segment: Manifest['segments'][number], store: CopyStore): SegmentText {
  const { number, rows, bytes, sha256, lineHashSum, objects } = segment;
  return {
    number,
    rows,
    bytes,
    sha256,
    lineHashSum,
    read: async function* () {
      for (const { key, versionId } of objects) yield* store.read(key, versionId);
    },
  };
}

async function requireReadable(manifest: Manifest, store: CopyStore): Promise<void> {
  for (const { key, versionId } of manifest.segments.flatMap(({ objects }) => objects)) {
    const { state, storageClass } = await store.storage(key, versionId);
    if (state !== 'readable') throw new ArchiverError('ArchiveCold', `${key} lies in ${storageClass}`);
  }
}

async function upload(
  key: string,
  { file, number, bytes, sha256, rows, lineHashSum }: WrittenSegment,
  store: CopyStore,
): Promise<Uploaded> {
  const object = await store.createFromFile(key, file, { bytes, sha256 });
  if (object === 'exists') throw conflict(key);
  return { segment: number, key, versionId: object.versionId, bytes, sha256, rows, lineHashSum };
}

const conflict = (key: string): ArchiverError => new ArchiverError('CopyConflict', `${key} is there already`);
