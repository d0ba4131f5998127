import { isCold, type ArchiveStore, type StoredVersion } from '../archive-store.ts';
import { ID_DIGITS } from './facts.ts';

/** What lies in the bucket of one archive, by a listing alone. */
export interface StoredArchive {
  readonly period: string;
  readonly archiveId: string;
  readonly manifestKey: string;
  /** Of the objects that are current. */
  readonly textBytes: number;
  /** Of the latest copy whose manifest there is; `null` without one. */
  readonly copyBytes: number | null;
  /** When the first of its text was put; `null` where there is none. */
  readonly exportedAt: Date | null;
  /** Storage classes of the text. */
  readonly textClasses: readonly string[];
  /** Some of the text has to be restored by S3 before it can be read. */
  readonly isCold: boolean;
  /** Everything that is paid for, noncurrent versions too: bytes by storage class. */
  readonly paid: Readonly<Record<string, number>>;
}

/** Archives by period and the first digits of their ids. */
export type StoredArchives = ReadonlyMap<string, StoredArchive>;

/** Key of an archive in {@link StoredArchives}; `archive` is its id, or the beginning of it. */
export const archiveKey = (period: string, archive: string): string =>
  `${period}/${archive.slice(0, ID_DIGITS)}`;

/** An object below `<database>/<schema>/<table>/`. */
const OBJECT = /^([^/]+)\/(data|ddl|manifest|query|query-manifest)\/([0-9a-f-]{36})(.*)$/;

/** Lists what lies below the prefixes of one set. */
export async function storedArchives(
  prefixes: readonly string[],
  store: Pick<ArchiveStore, 'versions'>,
): Promise<StoredArchives> {
  const found = new Map<
    string,
    { period: string; archiveId: string; manifestKey: string; objects: Found[] }
  >();
  for (const prefix of prefixes) {
    for (const version of await store.versions(prefix)) {
      const [, period = '', folder = '', archiveId = '', rest = ''] =
        OBJECT.exec(version.key.slice(prefix.length)) ?? [];
      if (archiveId === '' || version.deleted) continue;
      const key = archiveKey(period, archiveId);
      const manifestKey = `${prefix}${period}/manifest/${archiveId}.json`;
      const archive = found.get(key) ?? { period, archiveId, manifestKey, objects: [] };
      archive.objects.push({ folder, rest, version });
      found.set(key, archive);
    }
  }
  const archives = [...found].filter(([, { objects }]) =>
    objects.some(({ folder }) => folder === 'manifest'),
  );
  return new Map(archives.map(([key, { objects, ...archive }]) => [key, { ...archive, ...sums(objects) }]));
}

interface Found {
  readonly folder: string;
  readonly rest: string;
  readonly version: StoredVersion;
}

function sums(objects: readonly Found[]): Omit<StoredArchive, 'period' | 'archiveId' | 'manifestKey'> {
  const text = objects.filter(({ folder, version }) => folder === 'data' && version.isLatest);
  // `.<generation>.json` and `/<generation>/<segment>.parquet`
  const generation = objects
    .filter(({ folder, version }) => folder === 'query-manifest' && version.isLatest)
    .map(({ rest }) => rest.slice(1, -'.json'.length))
    .sort()
    .at(-1);
  const copy = objects.filter(
    ({ folder, rest, version }) =>
      folder === 'query' &&
      version.isLatest &&
      generation !== undefined &&
      rest.startsWith(`/${generation}/`),
  );
  const paid: Record<string, number> = {};
  for (const { version } of objects)
    paid[version.storageClass] = (paid[version.storageClass] ?? 0) + version.bytes;
  const bytesOf = (some: readonly Found[]): number =>
    some.reduce((sum, { version }) => sum + version.bytes, 0);
  const exported = text.map(({ version }) => version.modifiedAt.getTime());
  const textClasses = [...new Set(text.map(({ version }) => version.storageClass))].sort();
  return {
    textBytes: bytesOf(text),
    exportedAt: exported.length === 0 ? null : new Date(Math.min(...exported)),
    copyBytes: generation === undefined ? null : bytesOf(copy),
    textClasses,
    isCold: textClasses.some(isCold),
    paid,
  };
}
