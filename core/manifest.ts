import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Proof } from './config/partition-set.ts';

/** Name and version of the archive format. Compressed text has the second one, so that readers of the first refuse it. */
const MANIFEST_FORMAT = 'partition-archive/1';
const MANIFEST_FORMAT_COMPRESSED = 'partition-archive/2';

/** Name and version of this product, as manifests record them; package.json has the same. */
export const PRODUCT = { name: 'partition-archiver', version: '0.1.0' } as const;

/**
 * The version of the code that takes rows out of a connection and hashes them: until a run of this version has proven some
 * segments by both readings, all streamed segments have two. Behind the plus sign is a digest of that code, which may change
 * between two releases; test/core/stream-version.test.ts lists its files and prints the value after a change.
 */
export const STREAM_VERSION = `${PRODUCT.version}+77207fdf7050`;

const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const lineHashSum = z.string().regex(/^[0-9a-f]{16}$/);
const objectVersion = z.strictObject({ key: z.string().min(1), versionId: z.string().min(1), bytes: count });

const segmentSchema = z.strictObject({
  number: count,
  firstBlock: count,
  nextBlock: count.nullable(),
  rows: count,
  /** Of the text, as SHA-256 and line hashes. */
  bytes: count,
  /** Of its objects, whose bytes are those of the compressed text; none: plain text. */
  compression: z.enum(['gzip', 'zstd']).optional(),
  sha256,
  lineHashSum,
  /** The rows lay in another order in S3 than in the table; their line hashes decided. */
  orderDiffers: z.boolean(),
  /** In the order of their bytes; none for a segment without rows. */
  objects: z.array(objectVersion),
});

const manifestFields = z.strictObject({
  format: z.enum([MANIFEST_FORMAT, MANIFEST_FORMAT_COMPRESSED]),
  archiveId: z.uuid(),
  product: z.strictObject({ name: z.literal(PRODUCT.name), version: z.string() }),
  source: z.strictObject({
    systemIdentifier: z.string(),
    database: z.string(),
    postgresql: z.string(),
    extensions: z.record(z.string(), z.string()),
  }),
  partition: z.strictObject({
    schema: z.string(),
    name: z.string(),
    oid: count,
    owner: z.string(),
    parentSchema: z.string(),
    parentName: z.string(),
    controlColumn: z.string(),
    controlKind: z.enum(['time', 'id']),
    bounds: z.string(),
    lowerBound: z.string(),
    upperBound: z.string(),
    period: z.string(),
    attachStatement: z.string(),
  }),
  copy: z.strictObject({
    options: z.string(),
    /** The select list of the export: quoted names in the order of the fields. */
    columns: z.string(),
    pins: z.record(z.string(), z.string()),
  }),
  contents: z.strictObject({
    rows: count,
    bytes: count,
    lineHash: z.literal('sum64-xxh64'),
    lineHashSum,
    /** Whether the rows were also counted over the whole table, not only segment by segment. */
    countedWhole: z.boolean(),
  }),
  segments: z.array(segmentSchema),
  ddl: objectVersion.extend({ sha256, template: z.record(z.string(), z.unknown()) }),
  times: z.strictObject({ quarantinedAt: z.string(), exportedAt: z.string(), committedAt: z.string() }),
});

const manifestSchema = manifestFields.refine(
  ({ format, segments }) => format === formatOf(segments),
  'the format is not that of its segments',
);

/** The format of an archive with these segments. */
export const formatOf = (
  segments: readonly Pick<z.output<typeof segmentSchema>, 'compression'>[],
): z.output<typeof manifestFields>['format'] =>
  segments.some(({ compression }) => compression !== undefined)
    ? MANIFEST_FORMAT_COMPRESSED
    : MANIFEST_FORMAT;

/** The manifest of an archive: written last; without it there is no archive. */
export type Manifest = Readonly<z.output<typeof manifestSchema>>;

/** The manifest as it is stored: JSON with a newline at its end. */
export function serializeManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Reads a stored manifest. Returns the problem instead if the object is not a manifest. */
export function parseManifest(
  text: string,
): { readonly ok: true; readonly manifest: Manifest } | { readonly ok: false; readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'it is no JSON' };
  }
  const result = manifestSchema.safeParse(json);
  if (result.success) return { ok: true, manifest: result.data };
  return { ok: false, problem: z.prettifyError(result.error).replaceAll('\n', '; ') };
}

/**
 * Whether two manifests of one archive say the same of everything but the circumstances of the commit, which may be
 * others at the next try: when, by which versions, and whether the whole table could be counted in time.
 */
export function sameArchive(a: Manifest, b: Manifest): boolean {
  return canonical(withoutCircumstances(a)) === canonical(withoutCircumstances(b));
}

const withoutCircumstances = ({
  times: _,
  product: { name },
  source,
  contents,
  ...archive
}: Manifest): object => ({
  ...archive,
  product: name,
  source: { ...source, postgresql: null, extensions: null },
  contents: { ...contents, countedWhole: null },
});

/**
 * The template of the archived DDL with the time zone of the partition set beside it. The zone stands in the template
 * since readers of earlier versions refuse a field that they do not know anywhere else.
 */
export function withTimeZone(
  template: Readonly<Record<string, unknown>>,
  timeZone: string,
): Record<string, unknown> {
  return { ...template, timeZone };
}

/** Time zone of the partition set, in which the bounds are points in time; `null` in manifests of earlier versions. */
export function timeZoneOf({ ddl }: Manifest): string | null {
  const { timeZone } = ddl.template;
  return typeof timeZone === 'string' ? timeZone : null;
}

/** What the proof of a segment is, as the ledger has it. */
interface ProvenSegment {
  readonly number: number;
  readonly proof: Proof;
}

/**
 * The template with the name of the proof beside it, for the same reason as the time zone. Of an archive that is proven by
 * one reading, `readTwice` has the numbers of the segments that were read a second time.
 */
export function withProof(
  template: Readonly<Record<string, unknown>>,
  segments: readonly ProvenSegment[],
): Record<string, unknown> {
  const readTwice = segments.filter(({ proof }) => proof === 'two-readings').map(({ number }) => number);
  if (readTwice.length === segments.length) return { ...template, proof: 'twoReadings' };
  return { ...template, proof: 'oneReading', readTwice };
}

/** The proof of an archive; those of earlier versions had two readings. */
export function manifestProof({ ddl }: Manifest): 'oneReading' | 'twoReadings' {
  return ddl.template['proof'] === 'oneReading' ? 'oneReading' : 'twoReadings';
}

/** Every object that a manifest names: segments and DDL. */
export function objectsOf(manifest: Manifest): { key: string; versionId: string; bytes: number }[] {
  const { key, versionId, bytes } = manifest.ddl;
  return [...manifest.segments.flatMap((segment) => segment.objects), { key, versionId, bytes }];
}

/** SHA-256 of a text in UTF-8, in hexadecimal. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
