import type { ArchiveStore, StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { copiesPrefix, copyKey, copyManifestKey } from '../keys.ts';
import { PRODUCT, type Manifest } from '../manifest.ts';
import type { Clock, Log, ObjectVersion } from '../ports.ts';
import {
  COPY_FORMAT,
  copyManifests,
  latestCopy,
  locationOf,
  serializeCopyManifest,
  shapeOf,
  type CopyManifest,
  type StoredCopy,
} from './copy-manifest.ts';
import { readSegmentText } from '../segment-text.ts';
import type { CopyColumn } from './parquet-map.ts';
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
  /** The current version of a file that was put, with the SHA-256 that S3 compared. `ObjectMissing` if there is none. */
  currentFile(key: string): Promise<ObjectVersion & { readonly sha256: string }>;
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

/** An object of a copy. */
export type Uploaded = CopyManifest['objects'][number];

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
  const { store, disk, log } = ports;
  const { manifest } = stored;
  const found = rebuild ? null : await latestCopy(stored, store);
  if (found !== null) return { kind: 'there', copy: found };
  await requireReadable(manifest, store);
  const location = locationOf(manifest);
  const generation = newGeneration(ports);
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
        progress: (what, { number, rows, bytes }) =>
          log.info('convert', { archive, segmentNumber: number, what, rows, bytes }),
      },
      disk,
    );
    const objects: Uploaded[] = [];
    // At the end, one after the other: reading and writing text takes far longer.
    for (const file of written.files) {
      objects.push(await upload(copyKey(location, generation, file.number), file, store));
      disk.remove(file.file);
    }
    const copy = await recordCopy(stored, { generation, columns: written.columns, objects }, ports);
    return { kind: 'converted', copy };
  } finally {
    for (const { number } of segments) disk.remove(fileOf(number));
  }
}

/** What a copy is made of, before its manifest. */
interface CopyContents {
  readonly generation: string;
  readonly columns: readonly CopyColumn[];
  readonly objects: readonly Uploaded[];
}

/** Writes the manifest of a copy whose objects are all there: from then on there is a copy. */
export async function recordCopy(
  { manifest, object: archive, sha256 }: StoredManifest,
  { generation, columns, objects }: CopyContents,
  { store, clock, log }: Pick<ConvertPorts, 'store' | 'clock' | 'log'>,
): Promise<StoredCopy> {
  const copy: CopyManifest = {
    format: COPY_FORMAT,
    archiveId: manifest.archiveId,
    generation,
    product: { ...PRODUCT },
    madeFrom: { key: archive.key, versionId: archive.versionId, sha256 },
    shape: shapeOf(columns),
    columns: columns.map((column) => ({ ...column })),
    contents: {
      rows: manifest.contents.rows,
      textBytes: manifest.contents.bytes,
      bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    objects: [...objects],
    givenUp: await givenUpBefore(generation, manifest, store),
    convertedAt: clock.now().toISOString(),
  };
  const key = copyManifestKey(locationOf(manifest), generation);
  const object = await store.create(key, serializeCopyManifest(copy), 'application/json');
  if (object === 'exists') throw conflict(key);
  log.info('converted', { archive: archive.key, rows: copy.contents.rows, bytes: copy.contents.bytes });
  return { manifest: copy, object };
}

/** Generations before this one that have objects and no manifest: attempts that were killed or given up. */
async function givenUpBefore(generation: string, manifest: Manifest, store: CopyStore): Promise<string[]> {
  const location = locationOf(manifest);
  const manifests = (await copyManifests(manifest, store)).map(({ key }) => key);
  const prefix = copiesPrefix(location);
  const objects = await store.list(prefix);
  const found = new Set(objects.map(({ key }) => key.slice(prefix.length).split('/')[0] ?? ''));
  return [...found].filter(
    (each) => each < generation && !manifests.includes(copyManifestKey(location, each)),
  );
}

/**
 * Names an attempt. Names sort by time, the latest comes last; one that follows `after` sorts behind it, even where the
 * clock has not advanced.
 */
export function newGeneration({ clock, unique }: Pick<ConvertPorts, 'clock' | 'unique'>, after = ''): string {
  const time = clock.now().toISOString().replaceAll(/[-:.]/g, '');
  const name = `${time}-${unique()}`;
  return name > after ? name : `${after}-${unique()}`;
}

/** The text of a segment, as it lies in the bucket. */
export function textOf(segment: Manifest['segments'][number], store: CopyStore): SegmentText {
  const { number, rows, bytes, sha256, lineHashSum } = segment;
  return {
    number,
    rows,
    bytes,
    sha256,
    lineHashSum,
    read: () => readSegmentText(segment, store),
  };
}

/** Throws `ArchiveCold` unless all text can be read at once. */
export async function requireReadable(manifest: Manifest, store: CopyStore): Promise<void> {
  for (const { key, versionId } of manifest.segments.flatMap(({ objects }) => objects)) {
    const { state, storageClass } = await store.storage(key, versionId);
    if (state !== 'readable') throw new ArchiverError('ArchiveCold', `${key} lies in ${storageClass}`);
  }
}

/**
 * Puts a proven file. A file that is there already is the one of an earlier try of this attempt, and must have the same
 * bytes: `CopyConflict` otherwise.
 */
export async function upload(
  key: string,
  { file, number, bytes, sha256, rows, lineHashSum }: WrittenSegment,
  store: CopyStore,
): Promise<Uploaded> {
  const put = await store.createFromFile(key, file, { bytes, sha256 });
  const object = put === 'exists' ? await store.currentFile(key) : { ...put, sha256 };
  if (object.sha256 !== sha256 || object.bytes !== bytes) throw conflict(key);
  return { segment: number, key, versionId: object.versionId, bytes, sha256, rows, lineHashSum };
}

const conflict = (key: string): ArchiverError => new ArchiverError('CopyConflict', `${key} is there already`);
