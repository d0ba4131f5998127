import * as z from 'zod';
import { identifier, matching, wholeNumber } from './fields.ts';
import { partitionSetsSchema } from './partition-set.ts';
import { parseConfig, type Parsed } from './problems.ts';

/** How much runs at once. Each segment under way uses one database connection, or two while it is verified. */
export const concurrencySchema = z.strictObject({
  partitions: wholeNumber(1, 100).default(2).describe('Partitions archived at the same time.'),
  segments: wholeNumber(1, 100).default(2).describe('Segments of one partition exported at the same time.'),
});

/** S3 Object Lock, put on every object of an archive once it is proven. */
export const objectLockSchema = z.strictObject({
  days: wholeNumber(1, 36_500).describe('Days for which no version of a proven archive can be deleted.'),
  mode: z
    .enum(['GOVERNANCE', 'COMPLIANCE'], 'must be GOVERNANCE or COMPLIANCE')
    .default('GOVERNANCE')
    .describe(
      'GOVERNANCE: a principal with s3:BypassGovernanceRetention may delete versions. COMPLIANCE: no principal may, root included.',
    ),
});

/** How long archives are locked. */
export type ObjectLock = Readonly<z.output<typeof objectLockSchema>>;

/** When archives are given up. Manifests and DDL never are. */
export const expirySchema = z.strictObject({
  days: wholeNumber(1, 36_500).describe(
    'Days after the export when proven data expires: S3 puts a delete marker on it, and it can be restored only after the marker is deleted.',
  ),
  deleteVersionsAfterDays: wholeNumber(1, 36_500)
    .optional()
    .describe('Days from the expiry until the bytes are deleted for good. Default: never.'),
});

/** When archives are given up. */
export type Expiry = Readonly<z.output<typeof expirySchema>>;

/** Publications that may carry the archiver's tables and those of the sets. */
export const acceptedPublicationsSchema = z
  .array(identifier, 'must be a list of names of publications')
  .optional()
  .describe(
    "Names of publications that may carry the archiver's tables or those of a partition set. Default: none; prepare and each run refuse such publications.",
  );

/** Where archives are found by Athena. */
export const glueDatabaseSchema = matching(
  /^[a-z0-9_]{1,255}$/,
  'must be the name of a Glue database: lower-case letters, digits and underscores',
)
  .optional()
  .describe(
    'Glue database in which archives with a Parquet copy are registered for Athena, once their rows are no longer in the database. Convert creates it. Default: none.',
  );

const runtimeSchema = z.strictObject({
  partitionSets: partitionSetsSchema,
  concurrency: concurrencySchema.prefault({}),
  objectLock: objectLockSchema.optional(),
  expiry: expirySchema.optional(),
  acceptedPublications: acceptedPublicationsSchema,
  glueDatabase: glueDatabaseSchema,
});

/** What the steps know at run time. It stands in the definitions of the state machines, so that an execution has one. */
export type RuntimeConfig = Readonly<z.output<typeof runtimeSchema>>;

/** So long before its text moves to Glacier, an archive has a copy, unless an alarm reported that it has none. */
export const DAYS_TO_CONVERT = 30;

/** Days that the text of an archive has to stay where it can be read at once; `undefined` where no set has copies. */
export const readableDays = ({ partitionSets }: Pick<RuntimeConfig, 'partitionSets'>): number | undefined =>
  partitionSets.some(({ query }) => query) ? DAYS_TO_CONVERT : undefined;

/** For what can be done before there is a partition set: the installation. */
const withoutSetsSchema = runtimeSchema.extend({
  partitionSets: partitionSetsSchema.or(z.array(z.never()).length(0)).default([]),
});

/** Checks a configuration; at least one partition set, unless told otherwise. */
export function parseRuntimeConfig(
  input: unknown,
  sets: 'some' | 'none, too' = 'some',
): Parsed<RuntimeConfig> {
  const none = typeof input === 'object' && input !== null && isNone(input);
  return parseConfig(sets === 'none, too' && none ? withoutSetsSchema : runtimeSchema, input);
}

const isNone = ({ partitionSets }: { partitionSets?: unknown }): boolean =>
  partitionSets === undefined || (Array.isArray(partitionSets) && partitionSets.length === 0);
