import * as z from 'zod';
import { FOLDERS, isFolder } from './folders.ts';
import { identifier, timeZone, wholeNumber } from './fields.ts';

/** One export call should take a minute or two and stays well under aws_s3's split at 6 GB. */
const LARGEST_SEGMENT_MIB = 3072;

const EXPORT_WAYS = ['aws_s3', 'stream'] as const;

/** How segments get to S3. */
export type ExportWay = (typeof EXPORT_WAYS)[number];

const notAFolder = identifier.refine(
  (name) => !isFolder(name),
  `must not be the name of a folder of archives: ${FOLDERS.join(', ')}`,
);

/** A partitioned table that pg_partman manages, and what becomes of its detached partitions. */
export const partitionSetSchema = z.strictObject({
  schema: notAFolder.describe('Schema of the partitioned parent table, exactly as in the catalogs.'),
  table: notAFolder.describe('Name of the partitioned parent table, exactly as in the catalogs.'),
  drop: z
    .boolean('must be true or false')
    .default(false)
    .describe('Whether partitions are dropped once they are archived and proven. Default: false.'),
  graceDays: wholeNumber(0, 3650)
    .default(7)
    .describe('Days between the proof of an archive and the drop of its table.'),
  segmentSizeMiB: wholeNumber(1, LARGEST_SEGMENT_MIB)
    .default(1024)
    .describe(
      'How much of a table, TOAST included, goes into one S3 object; more in a table that would have over 10,000.',
    ),
  export: z
    .enum(EXPORT_WAYS, 'must be aws_s3 or stream')
    .default('aws_s3')
    .describe(
      'aws_s3: the server writes to S3 itself. stream: a function, or the local command, copies the rows to S3, without aws_s3.',
    ),
  proof: z
    .enum(['one-reading', 'two-readings'], 'must be one-reading or two-readings')
    .optional()
    .describe(
      'How an archive is proven before its table may be dropped (safety.md). Default: one-reading with stream; aws_s3 has two-readings only.',
    ),
  compression: z
    .enum(['none', 'gzip', 'zstd'], 'must be none, gzip or zstd')
    .default('none')
    .describe(
      'With stream: how the text is compressed on its way to S3. Default: none; zstd is faster and smaller, gzip can be imported by aws_s3.',
    ),
  acceptIncompleteRestore: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether partitions are archived even if the trial of their rows found an index, a check constraint or a generated column that a restore would lack.',
    ),
  acceptRowsInDefault: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether rows in the default partition are meant to be there: neither a warning nor the alarm RowsInDefault. Default: false; rows at infinity never count.',
    ),
  timeZone: timeZone
    .default('UTC')
    .describe('Time zone in which pg_partman created the partitions of this set; maintenance runs in it.'),
  query: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether archives get a Parquet copy, which `convert` creates and `query` reads. Default: false.',
    ),
});

/** Configuration of one partition set, defaults filled in. */
export type PartitionSetConfig = Readonly<z.output<typeof partitionSetSchema>>;

/** What shows that a segment in S3 is what the table holds; docs/safety.md says what each of them shows. */
export type Proof = 'one-reading' | 'two-readings';

/** How the text of an object is compressed: one gzip member, or one zstd frame. */
export type Compression = 'gzip' | 'zstd';

/** The compression of what is streamed of a set; `null` for plain text. */
export const compressionOf = ({
  compression,
}: Pick<PartitionSetConfig, 'compression'>): Compression | null =>
  compression === 'none' ? null : compression;

/** The proof that the segments of a set are to have. */
export function proofOf({ export: way, proof }: Pick<PartitionSetConfig, 'export' | 'proof'>): Proof {
  return proof ?? (way === 'stream' ? 'one-reading' : 'two-readings');
}

/** The ways in which some sets are exported. */
export function exportWays(sets: readonly Pick<PartitionSetConfig, 'export'>[]): ReadonlySet<ExportWay> {
  return new Set(sets.map((set) => set.export));
}

/** A partition set with what differs from the defaults, as a deployment file would have it. */
export function withoutDefaults(set: PartitionSetConfig): object {
  const { schema, table } = set;
  const defaults = new Map<string, unknown>(Object.entries(partitionSetSchema.parse({ schema, table })));
  const own = Object.entries(set).filter(([setting, value]) => value !== defaults.get(setting));
  return { schema, table, ...Object.fromEntries(own) };
}

/** At least one partition set, none of them twice. */
export const partitionSetsSchema = z
  .array(partitionSetSchema, 'must be a list of partition sets')
  .min(1, 'must name at least one partition set')
  .superRefine((sets, context) => {
    const seen = new Map<string, number>();
    sets.forEach((set, index) => {
      if (set.export === 'aws_s3' && set.proof === 'one-reading') {
        const message = 'must be two-readings with "export": "aws_s3": the server writes to S3 itself';
        context.addIssue({ code: 'custom', path: [index, 'proof'], message });
      }
      if (set.export === 'aws_s3' && set.compression !== 'none') {
        const message = 'must be none with "export": "aws_s3": the server writes to S3 itself';
        context.addIssue({ code: 'custom', path: [index, 'compression'], message });
      }
      const key = JSON.stringify([set.schema, set.table]);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else {
        context.addIssue({
          code: 'custom',
          path: [index, 'table'],
          message: `this partition set stands already at partitionSets[${first}]`,
        });
      }
    });
  });
