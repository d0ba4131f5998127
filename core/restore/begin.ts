import { problemLine } from '../archive/preflight.ts';
import { readManifest, type ArchiveStore, type StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { inOneLine } from '../in-one-line.ts';
import type { Manifest } from '../manifest.ts';
import type { Clock } from '../ports.ts';
import { unaccepted } from '../publications.ts';
import { columnsAsText } from './as-text.ts';
import { checkManifest, checkObjects, classifyMissing } from './check.ts';
import type {
  DdlSection,
  Lack,
  RestoreDatabase,
  RestoreIdentity,
  RestoreStart,
  TableName,
} from './database.ts';
import type { ArchiveRef, RestoreOptions } from './request.ts';

/** What a restore begins with. */
export interface BeginPorts {
  readonly database: RestoreDatabase;
  readonly store: ArchiveStore;
  readonly clock: Clock;
  /** Those that the configuration accepts. */
  readonly acceptedPublications?: readonly string[] | undefined;
}

/** Where a restore stands before anything is read of its data. */
export type FoundRestore =
  /** `segments` are not imported yet, `null`: all; they have to be readable in S3. */
  | { readonly next: 'retrieve'; readonly segments: readonly number[] | null }
  /** The table was published before; `partitionId` is its row in the ledger. */
  | { readonly next: 'attach'; readonly partitionId: number };

/**
 * Looks what there is of a restore before S3 is asked for copies of what lies in a Glacier tier: a published table needs
 * none, and one that is under way only those of the segments that are not imported.
 */
export async function findRestore(
  { manifestKey, manifestVersionId }: ArchiveRef,
  options: RestoreOptions | DrillOptions,
  { database, store, acceptedPublications = [] }: Omit<BeginPorts, 'clock'>,
): Promise<FoundRestore> {
  const stored = await readManifest(store, manifestKey, manifestVersionId ?? undefined);
  const { manifest } = stored;
  checkManifest(manifest, manifestKey);
  const wanted = wantedOf(options, manifest);
  const found = await database.find(identityOf(stored, wanted));
  if (found === null) return { next: 'retrieve', segments: null };
  if (!('partitionId' in found)) return { next: 'retrieve', segments: found.open };
  await refusePublications(wanted, acceptedPublications, database);
  return { next: 'attach', partitionId: found.partitionId };
}

/** Where a restore stands after its beginning. */
export type RestoreProgress =
  /** The segments are not imported yet. */
  | { readonly next: 'import'; readonly restoreId: number; readonly segments: readonly number[] }
  /** The table was published before; `partitionId` is its row in the ledger. */
  | { readonly next: 'attach'; readonly partitionId: number };

/**
 * Checks everything that the restore of an archive needs (manifest, objects, DDL, dependencies, target, parent), then
 * makes the bare table out of sight; or finds the restore that is under way for this archive and target, or done.
 */
export async function beginRestore(
  { manifestKey, manifestVersionId }: ArchiveRef,
  options: RestoreOptions | DrillOptions,
  { database, store, clock, acceptedPublications = [] }: BeginPorts,
): Promise<RestoreProgress> {
  const stored = await readManifest(store, manifestKey, manifestVersionId ?? undefined);
  const { manifest } = stored;
  checkManifest(manifest, manifestKey);
  await checkObjects(manifest, manifestKey, { store, database, clock });
  const wanted = wantedOf(options, manifest);
  await refusePublications(wanted, acceptedPublications, database);
  const found = await checkDependencies(manifest, wanted, database);
  const begun = await database.begin(startOf(stored, wanted, found));
  if ('partitionId' in begun) return { next: 'attach', partitionId: begun.partitionId };
  return { next: 'import', restoreId: begun.restoreId, segments: begun.open };
}

/** A drill, by the name of its execution: it continues with its own table only. */
export interface DrillOptions {
  readonly drill: string;
}

/** The options, with the partition's own names in place of what is left open. */
interface Wanted {
  readonly drill: string | null;
  readonly target: TableName;
  readonly owner: string;
  readonly foreignKeys: boolean;
  readonly grants: boolean;
  readonly parent: TableName | null;
  readonly acceptIncomplete: boolean;
  readonly acceptedPublications: readonly string[];
}

function wantedOf(options: RestoreOptions | DrillOptions, { partition }: Manifest): Wanted {
  const own = { target: { schema: partition.schema, table: partition.name }, owner: partition.owner };
  if ('drill' in options) {
    return {
      ...own,
      drill: options.drill,
      foreignKeys: false,
      grants: false,
      parent: null,
      acceptIncomplete: false,
      acceptedPublications: [],
    };
  }
  const { attach, foreignKeys, grants, acceptIncomplete, acceptedPublications } = options;
  return {
    drill: null,
    target: { schema: options.schema ?? own.target.schema, table: options.table ?? own.target.table },
    owner: options.owner ?? own.owner,
    foreignKeys,
    grants,
    acceptIncomplete,
    acceptedPublications,
    parent: attach === 'parent' ? { schema: partition.parentSchema, table: partition.parentName } : attach,
  };
}

const identityOf = (
  { manifest, object, sha256 }: StoredManifest,
  { drill, target, owner }: Wanted,
): RestoreIdentity => ({
  manifest,
  drill,
  target,
  owner,
  manifestVersionId: object.versionId,
  manifestSha256: sha256,
});

const startOf = (
  stored: StoredManifest,
  wanted: Wanted,
  found: Pick<RestoreStart, 'warnings' | 'asText' | 'unusable' | 'moved'>,
): RestoreStart => ({
  ...identityOf(stored, wanted),
  ...found,
  parent: wanted.parent,
  manifestKey: stored.object.key,
  // The sections that need the rights of the table's owner, or lock other tables.
  lastSections: [
    ...(wanted.foreignKeys ? (['foreign_keys', 'foreign_triggers'] as const) : []),
    'row_security',
    ...(wanted.grants ? (['ownership'] as const) : []),
  ] satisfies DdlSection[],
});

/**
 * The tables that are loaded out of sight, the restored table and what it is attached to may be published: a subscriber
 * without them would stop at the first row. `PreflightFailed`, unless each of these publications is accepted.
 */
async function refusePublications(
  { drill, target, parent, acceptedPublications }: Wanted,
  accepted: readonly string[],
  database: RestoreDatabase,
): Promise<void> {
  const tables = drill === null ? [target, ...(parent === null ? [] : [parent])] : [];
  const found = unaccepted(await database.publications(tables), [...accepted, ...acceptedPublications]);
  if (found.length === 0) return;
  throw new ArchiverError(
    'PreflightFailed',
    found
      .map((problem) =>
        inOneLine([
          problemLine(problem),
          'for this restore alone: acceptedPublications in its input, --accept-publication',
        ]),
      )
      .join('\n'),
  );
}

/** What is missing is listed all at once, in an order in which it can be made; `DependencyMissing`, unless that is accepted. */
async function checkDependencies(
  manifest: Manifest,
  wanted: Wanted,
  database: RestoreDatabase,
): Promise<Pick<RestoreStart, 'warnings' | 'asText' | 'unusable' | 'moved'>> {
  const { template } = manifest.ddl;
  const target = wanted.drill === null ? { schema: wanted.target.schema, owner: wanted.owner } : null;
  const missing = await database.missing(template['dependencies'] ?? [], target);
  const { needed, warnings } = classifyMissing(missing.dependencies, template, wanted);
  const lacking = inOrder(missing.target, wanted.acceptIncomplete ? [] : needed);
  if (lacking.length > 0) throw new ArchiverError('DependencyMissing', lacking.map(lineOf).join('\n'));
  return {
    warnings: [...warnings, ...needed.map(lineOf)],
    asText: columnsAsText(template, missing.dependencies),
    unusable: missing.dependencies
      .filter(({ kind }) => kind === 'tablespace')
      .map(({ identity }) => identity),
    moved: missing.dependencies.flatMap(({ name, movedTo }) =>
      name === null || movedTo === null ? [] : [{ from: name, to: movedTo }],
    ),
  };
}

/** Roles and schemas come before what is made in them; what the target needs too is listed once, as the target needs it. */
function inOrder(target: readonly Lack[], needed: readonly Lack[]): readonly Lack[] {
  const others = needed.filter(
    ({ kind, identity, problem }) =>
      // What its extension brings needs no line of its own.
      !problem.startsWith('is missing with extension') &&
      !target.some((each) => each.kind === kind && each.identity === identity),
  );
  const rank = ({ kind, statement }: Lack): number => {
    if (kind === 'role') return statement?.startsWith('create role ') === true ? 0 : 2;
    return kind === 'schema' ? 1 : 3;
  };
  return [...target, ...others].toSorted((a, b) => rank(a) - rank(b));
}

/** What is missing, in one line, with what makes it. */
function lineOf({ kind, identity, problem, statement }: Lack): string {
  const what = `${kind} ${identity} ${problem}`;
  if (statement !== null) return `${what}: ${statement}`;
  return problem === 'is missing' ? `${what}; how it was made is not in the archive` : what;
}
