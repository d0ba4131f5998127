import * as z from 'zod';
import type { StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { copyManifestPrefix, type ArchiveLocation } from '../keys.ts';
import { sha256Of, type Manifest } from '../manifest.ts';
import { readText, type ObjectStore, type ObjectVersion } from '../ports.ts';
import type { CopyColumn, ValueKind } from './parquet-map.ts';

/** Name and version of the format of copies. */
export const COPY_FORMAT = 'partition-archive-query/1';

const KINDS = [
  'boolean',
  'int16',
  'int32',
  'int64',
  'float',
  'double',
  'decimal32',
  'decimal64',
  'decimal128',
  'date',
  'timestamp',
  'timestamptz',
  'bytea',
  'text',
] as ValueKind[];

const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const lineHashSum = z.string().regex(/^[0-9a-f]{16}$/);

const columnsSchema = z.array(
  z.strictObject({
    name: z.string(),
    type: z.string(),
    kind: z.enum(KINDS),
    precision: count,
    scale: count,
    fieldId: count,
    fallback: z.string().nullable(),
  }),
);

const copySchema = z.strictObject({
  format: z.literal(COPY_FORMAT),
  archiveId: z.uuid(),
  generation: z.string().min(1),
  product: z.strictObject({ name: z.literal('partition-archiver'), version: z.string() }),
  /** The manifest of the archive that it was made from. */
  madeFrom: z.strictObject({ key: z.string(), versionId: z.string(), sha256 }),
  /** The same for copies whose columns are the same, in names, types and how they are held. */
  shape: sha256,
  columns: columnsSchema,
  contents: z.strictObject({ rows: count, textBytes: count, bytes: count }),
  objects: z.array(
    z.strictObject({
      segment: count,
      key: z.string().min(1),
      versionId: z.string().min(1),
      bytes: count,
      sha256,
      rows: count,
      lineHashSum,
    }),
  ),
  /** Earlier generations with objects and no manifest: attempts that were killed, or given up for a column to be text. */
  givenUp: z.array(z.string().min(1)).default([]),
  convertedAt: z.string(),
});

/** The manifest of a copy: written last; without it there is no copy. */
export type CopyManifest = Readonly<z.output<typeof copySchema>>;

/** A copy that was found, with the version of its manifest. */
export interface StoredCopy {
  readonly manifest: CopyManifest;
  readonly object: ObjectVersion;
}

/** The manifest as it is stored: JSON with a newline at its end. */
export const serializeCopyManifest = (manifest: CopyManifest): string =>
  `${JSON.stringify(manifest, null, 2)}\n`;

/** What tells copies of the same columns from others. */
export const shapeOf = (columns: readonly CopyColumn[]): string =>
  sha256Of(
    JSON.stringify(
      columns.map(({ name, type, kind, precision, scale }) => [name, type, kind, precision, scale]),
    ),
  );

/** Where an archive lies, by its manifest. */
export const locationOf = ({ source, partition, archiveId }: Manifest): ArchiveLocation => ({
  database: source.database,
  parentSchema: partition.parentSchema,
  parentName: partition.parentName,
  period: partition.period,
  archiveId,
});

/** Keys of the manifests of an archive's copies, the latest last. */
export async function copyManifests(manifest: Manifest, store: ObjectStore): Promise<ObjectVersion[]> {
  const found = await store.list(copyManifestPrefix(locationOf(manifest)));
  return [...found].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/**
 * The latest copy of an archive; `null` if there is none. Throws `CopyInvalid` for one that is of another version or not
 * of this archive.
 */
export async function latestCopy(
  { manifest, object, sha256: archiveSha256 }: StoredManifest,
  store: ObjectStore,
): Promise<StoredCopy | null> {
  const latest = (await copyManifests(manifest, store)).at(-1);
  if (latest === undefined) return null;
  const copy = parseCopyManifest(await readText(store, latest), latest.key);
  const { madeFrom, archiveId } = copy;
  if (archiveId !== manifest.archiveId || madeFrom.key !== object.key || madeFrom.sha256 !== archiveSha256) {
    throw new ArchiverError('CopyInvalid', `${latest.key} is of another archive than ${object.key}`);
  }
  return { manifest: copy, object: latest };
}

/** Reads a stored manifest of a copy. */
export const parseCopyManifest = (text: string, key: string): CopyManifest => parsed(copySchema, text, key);

/** Reads columns that were kept apart from their manifest, as JSON. */
export const copyColumns = (text: string, where: string): CopyManifest['columns'] =>
  parsed(columnsSchema, text, where);

function parsed<Schema extends z.ZodType>(schema: Schema, text: string, where: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ArchiverError('CopyInvalid', `${where}: it is no JSON`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problem = z.prettifyError(result.error).replaceAll('\n', '; ');
  throw new ArchiverError('CopyInvalid', `${where}: ${problem}`);
}
