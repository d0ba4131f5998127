import * as z from 'zod';
import { parseDisplayName } from '../config/display-name.ts';
import { identifier, validatedWith, wholeNumber } from '../config/fields.ts';
import { TIERS } from '../archive-store.ts';
import { moment } from '../audit/find-request.ts';
import { parseInput } from '../input.ts';
import { ACCEPTED } from '../limits.ts';
import type { TableName } from './database.ts';

/** An archive, by its manifest. */
export interface ArchiveRef {
  readonly manifestKey: string;
  /** Another version of the manifest than the only one; for an operator who knows that it is good. */
  readonly manifestVersionId: string | null;
}

/** The archives of a partition set with a part in a range; `null` is not narrowed. */
export interface ArchiveRange {
  /** The database that they were made in; `null`: the one that they are restored to. */
  readonly database: string | null;
  readonly set: TableName;
  readonly from: string | null;
  readonly to: string | null;
}

/** How S3 is asked for objects that lie in a Glacier tier. */
export interface Retrieval {
  readonly tier: (typeof TIERS)[number];
  /** Days for which the copies stay readable; long enough for the restore. */
  readonly days: number;
}

/** How tables are restored. */
export interface RestoreOptions {
  /** Schema and name of the restored table; `null`: those that the partition had. */
  readonly schema: string | null;
  readonly table: string | null;
  /** Who is to own it; `null`: the owner that the partition had. */
  readonly owner: string | null;
  /** Whether its foreign keys are made again. */
  readonly foreignKeys: boolean;
  /** Whether its grants are made again. */
  readonly grants: boolean;
  /** The partitioned table that it is attached to: `parent` is the one that it came from. */
  readonly attach: 'parent' | TableName | null;
  /** Whether a table is attached although not all of its defaults, constraints, indexes and triggers could be made. */
  readonly acceptIncomplete: boolean;
  /** Publications that may carry the restored table, besides those that the configuration accepts. */
  readonly acceptedPublications: readonly string[];
  readonly retrieval: Retrieval;
}

/** What is to be restored, and how; checked, with defaults filled in. */
export interface RestoreRequest {
  readonly archives: ArchiveRef | ArchiveRange;
  readonly options: RestoreOptions;
}

const orNull = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null as never);
const key = z.string('must be a text').min(1, 'must not be empty');
const flagOr = (otherwise: boolean) =>
  z
    .boolean('must be true or false')
    .nullish()
    .transform((value) => value ?? otherwise);
const flag = flagOr(true);

const tableName = z.string('must be a name such as "public.orders"').transform((text, context): TableName => {
  const name = parseDisplayName(text);
  if (name !== null) return name;
  context.addIssue({ code: 'custom', message: 'must be a name of the form schema.table' });
  return z.NEVER;
});

const attachRule =
  'must be "parent", or a table such as "app.kept" or {"schema": "app", "table": "kept"}, with names of at most 63 bytes';
const attachSchema = z.union(
  [
    z.literal('parent'),
    tableName.pipe(z.object({ schema: identifier, table: identifier })),
    z.strictObject({ schema: identifier, table: identifier }),
  ],
  attachRule,
);

/** Reads `{ tier, days }`, each with its default; also what a drill is told. */
export function retrievalSchema({ tier, days }: Retrieval) {
  const fields = z.strictObject(
    {
      tier: z.enum(TIERS, 'must be Bulk, Standard or Expedited').default(tier),
      days: wholeNumber(...ACCEPTED.retrievalDays).default(days),
    },
    'must be such as {"tier": "Bulk", "days": 7}',
  );
  return fields.nullish().transform((value): Retrieval => value ?? { tier, days });
}

const OF_KEY = ['manifestKey', 'manifestVersionId'] as const;
const OF_RANGE = ['partitionSet', 'from', 'to', 'database'] as const;

/** Input of *Restore*. */
export const restoreSchema = z
  .strictObject({
    manifestKey: orNull(key),
    manifestVersionId: orNull(key),
    partitionSet: orNull(tableName),
    from: orNull(moment),
    to: orNull(moment),
    database: orNull(identifier),
    schema: orNull(identifier),
    table: orNull(identifier),
    owner: orNull(identifier),
    foreignKeys: flag,
    grants: flag,
    attach: orNull(attachSchema),
    acceptIncomplete: flagOr(false),
    acceptedPublications: z
      .array(identifier, 'must be a list of names of publications')
      .nullish()
      .transform((value) => value ?? []),
    // A week: time enough for what fails at a weekend.
    retrieval: retrievalSchema({ tier: 'Standard', days: 7 }),
  })
  .superRefine(
    (fields, context) => {
      const refuse = (field: string, message: string): void => {
        context.addIssue({ code: 'custom', path: [field], message });
      };
      const given = OF_RANGE.filter((field) => fields[field] !== null);
      if (fields.manifestKey === null && fields.partitionSet === null) {
        refuse('manifestKey', 'or partitionSet, with from and to, for a range of archives');
      } else if (fields.manifestKey !== null && given.length > 0) {
        refuse('manifestKey', `names one archive, so that ${given.join(', ')} cannot be given beside it`);
      } else if (fields.partitionSet !== null && fields.manifestVersionId !== null) {
        refuse('manifestVersionId', 'belongs to manifestKey');
      }
    },
    validatedWith(...OF_KEY, ...OF_RANGE),
  );

/**
 * Reads what a restore is asked for: `manifestKey` (and `manifestVersionId`), or `partitionSet` with `from` and `to` (and
 * `database`); with `schema`, `table`, `owner`, `foreignKeys` (true), `grants` (true), `attach` ("parent", or a table as
 * "schema.table" or `{ schema, table }`), `acceptIncomplete` (false), `acceptedPublications` ([]) and `retrieval` (`{ tier, days }`). Throws `InvalidInput` with every mistake at once.
 */
export function parseRestoreRequest(input: unknown): RestoreRequest {
  const parsed = parseInput(restoreSchema, input);
  const { manifestKey, manifestVersionId, partitionSet, from, to, database, ...options } = parsed;
  const archives =
    partitionSet === null
      ? { manifestKey: manifestKey ?? '', manifestVersionId }
      : { database, set: partitionSet, from, to };
  return { archives, options };
}
