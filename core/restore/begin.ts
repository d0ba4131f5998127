import { readManifest, type ArchiveStore, type StoredManifest } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import type { Manifest } from '../manifest.ts';
import type { Clock } from '../ports.ts';
import { checkManifest, checkObjects, classifyMissing } from './check.ts';
import type { DdlSection, RestoreDatabase, RestoreStart, TableName } from './database.ts';
import type { ArchiveRef, RestoreOptions } from './request.ts';

/** Where a restore stands after its beginning. */
export interface RestoreProgress {
  /** `import`: from the data on. `attach`: it was published before. */
  readonly next: 'import' | 'attach';
  readonly restore: number | null;
  /** The ledger's row of the restored table, where it was published before. */
  readonly partition: number | null;
  /** Segments that are not imported yet. */
  readonly segments: readonly number[];
}

/**
 * Checks everything that the restore of an archive needs (manifest, objects, DDL, dependencies, target, parent), then
 * makes the bare table out of sight; or finds the restore that is under way for this archive and target, or done.
 */
export async function beginRestore(
  { manifestKey, manifestVersionId }: ArchiveRef,
  options: RestoreOptions | DrillOptions,
  {
    database,
    store,
    clock,
  }: { readonly database: RestoreDatabase; readonly store: ArchiveStore; readonly clock: Clock },
): Promise<RestoreProgress> {
  const stored = await readManifest(store, manifestKey, manifestVersionId ?? undefined);
  const { manifest } = stored;
  checkManifest(manifest, manifestKey);
  await checkObjects(manifest, manifestKey, { store, database, clock });
  const wanted = wantedOf(options, manifest);
  const warnings = await checkDependencies(manifest, wanted, database);
  const begun = await database.begin(startOf(stored, wanted, warnings));
  if ('partition' in begun) {
    return { next: 'attach', restore: null, partition: begun.partition, segments: [] };
  }
  const { restore, open } = begun;
  return { next: 'import', restore, partition: null, segments: open };
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
}

function wantedOf(options: RestoreOptions | DrillOptions, { partition }: Manifest): Wanted {
  const own = { target: { schema: partition.schema, table: partition.name }, owner: partition.owner };
  if ('drill' in options) {
    return { ...own, drill: options.drill, foreignKeys: false, grants: false, parent: null };
  }
  const { attach, foreignKeys, grants } = options;
  return {
    drill: null,
    target: { schema: options.schema ?? own.target.schema, table: options.table ?? own.target.table },
    owner: options.owner ?? own.owner,
    ...{ foreignKeys, grants },
    parent: attach === 'parent' ? { schema: partition.parentSchema, table: partition.parentName } : attach,
  };
}

const startOf = (
  { manifest, object, sha256 }: StoredManifest,
  { drill, target, owner, foreignKeys, grants, parent }: Wanted,
  warnings: readonly string[],
): RestoreStart => ({
  ...{ manifest, drill, target, owner, parent, warnings },
  manifestKey: object.key,
  manifestVersionId: object.versionId,
  manifestSha256: sha256,
  // The sections that need the rights of the table's owner, or lock other tables.
  lastSections: [
    ...(foreignKeys ? (['foreign_keys', 'foreign_triggers'] as const) : []),
    'row_security',
    ...(grants ? (['ownership'] as const) : []),
  ] satisfies DdlSection[],
});

async function checkDependencies(
  manifest: Manifest,
  wanted: Wanted,
  database: RestoreDatabase,
): Promise<readonly string[]> {
  const { template } = manifest.ddl;
  const missing = await database.missing(template['dependencies'] ?? []);
  const { needed, warnings } = classifyMissing(missing, template, wanted);
  if (needed.length > 0) {
    const lines = needed.map(
      ({ kind, identity, problem, statement }) =>
        `${kind} ${identity} ${problem}${statement === null ? '' : `: ${statement}`}`,
    );
    throw new ArchiverError('DependencyMissing', lines.join('\n'));
  }
  return warnings;
}
