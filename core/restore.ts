import { mapAtOnce, readManifest, type ArchiveStore, type StoredManifest } from './archive-store.ts';
import { ArchiverError } from './errors.ts';
import type { Manifest } from './manifest.ts';
import { displayName } from './partition.ts';
import type { Clock, Log } from './ports.ts';
import { checkManifest, checkObjects, judgeMissing } from './restore/check.ts';
import type { DdlSection, RestoreDatabase, RestoreProgress, TableName } from './restore/database.ts';
import { parseRestoreRequest, type RestoreRequest } from './restore/request.ts';
import { withLockTries } from './retry.ts';
import { LineDigester } from './verify/line-digest.ts';

/** What `restore` works with. */
export interface RestorePorts {
  readonly database: RestoreDatabase;
  readonly store: ArchiveStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Segments imported at the same time; each uses a connection. */
  readonly segmentsAtOnce: number;
}

/** A restored table. */
export interface Restored {
  /** Its row in the ledger. */
  readonly partition: number;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** The table that it was attached to. */
  readonly attachedTo: string | null;
  /** What the table does not have that the archived one had. */
  readonly warnings: readonly string[];
}

/**
 * Restores an archive from its manifest: checks everything that it needs, makes the table out of sight, imports the
 * segments, builds indexes, reads the whole table again and compares it with the manifest, and only then brings it out
 * under its target name. Running it again resumes a restore that was interrupted.
 */
export async function restore(input: unknown, ports: RestorePorts): Promise<Restored> {
  const request = parseRestoreRequest(input);
  const { database, store, clock, log } = ports;
  const stored = await readManifest(store, request.manifestKey, request.manifestVersionId ?? undefined);
  const { manifest } = stored;
  const target = {
    schema: request.schema ?? manifest.partition.schema,
    table: request.table ?? manifest.partition.name,
  };
  const owner = request.owner ?? manifest.partition.owner;
  const parent = parentOf(request, manifest);

  checkManifest(manifest, request.manifestKey);
  await checkObjects(manifest, request.manifestKey, ports);
  const warnings = await checkDependencies(manifest, { ...request, owner }, database);
  const begun = await database.begin(startOf(stored, target, owner));
  let partition: number;
  if ('partition' in begun) partition = begun.partition;
  else {
    // Not asked of a restore that is done: its own table would be in the way.
    if (parent !== null && begun.statementsDone === 0) await checkAttach(begun, manifest, parent, database);
    await load(begun, manifest, ports);
    await prove(begun, manifest, ports);
    const finished = await withLockTries(clock, async () =>
      database.finish(begun, await database.render(manifest, target, sectionsOf(request)), manifest),
    );
    partition = finished.partition;
    warnings.push(...finished.warnings);
  }
  warnings.push(...(await validate(partition, manifest, ports)));
  if (parent !== null) await withLockTries(clock, () => database.attach(partition, parent));
  const restored = {
    partition,
    table: displayName(target.schema, target.table),
    rows: manifest.contents.rows,
    bytes: manifest.contents.bytes,
    attachedTo: parent === null ? null : displayName(parent.schema, parent.table),
    warnings,
  };
  log.info('restore', { ...restored, manifest: request.manifestKey });
  return restored;
}

function parentOf({ attach }: RestoreRequest, { partition }: Manifest): TableName | null {
  if (attach === 'parent') return { schema: partition.parentSchema, table: partition.parentName };
  return attach;
}

const startOf = ({ manifest, object, sha256 }: StoredManifest, target: TableName, owner: string) => ({
  manifest,
  manifestKey: object.key,
  manifestVersionId: object.versionId,
  manifestSha256: sha256,
  target,
  owner,
});

/** The sections that need the rights of the table's owner, or lock other tables. */
function sectionsOf({ foreignKeys, grants }: RestoreRequest): DdlSection[] {
  return [
    ...(foreignKeys ? (['foreign_keys', 'foreign_triggers'] as const) : []),
    'row_security',
    ...(grants ? (['ownership'] as const) : []),
  ];
}

async function checkDependencies(
  manifest: Manifest,
  request: RestoreRequest & { readonly owner: string },
  database: RestoreDatabase,
): Promise<string[]> {
  const { template } = manifest.ddl;
  const missing = await database.missing(template['dependencies'] ?? []);
  const { needed, warnings } = judgeMissing(missing, template, request);
  if (needed.length > 0) {
    const lines = needed.map(
      ({ kind, identity, problem, statement }) =>
        `${kind} ${identity} ${problem}${statement === null ? '' : `: ${statement}`}`,
    );
    throw new ArchiverError('DependencyMissing', lines.join('\n'));
  }
  return [...warnings];
}

/** Before anything is loaded: a refusal hours later would be of no use to anybody. */
async function checkAttach(
  begun: RestoreProgress,
  manifest: Manifest,
  parent: TableName,
  database: RestoreDatabase,
): Promise<void> {
  const problems = await database.attachProblems(manifest, parent);
  if (problems.length === 0) return;
  if (begun.open.length === manifest.segments.length) await database.abandon(begun.id);
  throw new ArchiverError(
    'AttachRefused',
    `${displayName(parent.schema, parent.table)}: ${problems.join('; ')}`,
  );
}

async function load(begun: RestoreProgress, manifest: Manifest, ports: RestorePorts): Promise<void> {
  const { database, store, log } = ports;
  const from = { manifest, bucket: store.bucket, region: store.region };
  const open = manifest.segments.filter(({ number }) => begun.open.includes(number));
  await mapAtOnce(open, ports.segmentsAtOnce, async (segment) => {
    await database.importSegment(begun, segment, from);
    log.info('import', { restore: begun.id, segment: segment.number, rows: segment.rows });
  });
  for (const [index, statement] of begun.afterData.entries()) {
    if (index >= begun.statementsDone) await database.runStatement(begun, index + 1, statement);
  }
}

async function prove(begun: RestoreProgress, manifest: Manifest, { database }: RestorePorts): Promise<void> {
  const { contents } = manifest;
  const found = await database.readTable(begun, manifest, async (rows) => {
    const digester = new LineDigester();
    for await (const chunk of rows) digester.update(chunk as Buffer);
    return digester.digest();
  });
  if (
    found.rows !== contents.rows ||
    found.bytes !== contents.bytes ||
    found.lineHashSum !== contents.lineHashSum ||
    !found.complete
  ) {
    await database.abandon(begun.id);
    throw new ArchiverError(
      'ArchiveDamaged',
      `the restored table has ${found.rows} rows, ${found.bytes} bytes and line-hash sum ${found.lineHashSum}, ` +
        `its manifest says ${contents.rows}, ${contents.bytes} and ${contents.lineHashSum}; it was dropped again`,
    );
  }
  await database.recordProof(begun, found);
}

/** Foreign keys that were validated when the table was archived; rows that they refer to may be gone since. */
async function validate(
  partition: number,
  manifest: Manifest,
  { database, clock }: RestorePorts,
): Promise<string[]> {
  const warnings: string[] = [];
  const objects = manifest.ddl.template['objects'];
  const wasNotValid = (name: string): boolean =>
    Array.isArray(objects) &&
    (objects as { kind: string; name: string; detail: string }[]).some(
      (each) => each.kind === 'foreign key' && each.name === name && each.detail.split(' ')[3] === 'f',
    );
  for (const constraint of await database.unvalidatedForeignKeys(partition)) {
    if (wasNotValid(constraint)) continue;
    try {
      await withLockTries(clock, () => database.validateForeignKey(partition, constraint));
    } catch (error) {
      if (!(error instanceof ArchiverError)) throw error;
      warnings.push(`foreign key ${constraint} is there but not valid: ${error.message}`);
    }
  }
  return warnings;
}
