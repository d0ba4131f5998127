import type { ArchiveStore } from '../archive-store.ts';
import { currentVersionProblems, NOT_CURRENT, type AuditProblem } from '../audit/check.ts';
import { displayColumn } from '../config/display-name.ts';
import { isTimeZone } from '../config/fields.ts';
import { ddlFile } from '../ddl-file.ts';
import { ArchiverError } from '../errors.ts';
import { DAY_MS } from '../expiry.ts';
import { PRODUCT, sha256Of, timeZoneOf, type Manifest } from '../manifest.ts';
import { COPY_OPTIONS, PINS } from '../pins.ts';
import { readText, type Clock } from '../ports.ts';
import type { MissingDependency, RestoreDatabase } from './database.ts';
import type { RestoreOptions } from './request.ts';
import { parseNames } from './statements.ts';

/**
 * Checks that a manifest asks for nothing but what this product writes: its options, settings and columns go into
 * statements. Throws `ManifestInvalid`.
 */
export function checkManifest(manifest: Manifest, key: string): void {
  const { copy, ddl, partition } = manifest;
  const refuse = (problem: string): never => {
    throw new ArchiverError('ManifestInvalid', `${key}: ${problem}`);
  };
  if (copy.options !== COPY_OPTIONS) refuse(`COPY options ${JSON.stringify(copy.options)} are not known`);
  const unknown = Object.keys(copy.pins).filter((name) => !Object.hasOwn(PINS, name));
  if (unknown.length > 0) refuse(`settings ${unknown.join(', ')} are not known`);
  const columns = ddl.template['columns'];
  const expected = Array.isArray(columns)
    ? (columns as { name: string; generated: string }[])
        .filter(({ generated }) => generated === '')
        .map(({ name }) => name)
    : [];
  if (JSON.stringify(parseNames(copy.columns)) !== JSON.stringify(expected)) {
    refuse('its list of columns is not that of its DDL');
  }
  if (ddl.template['schema'] !== partition.schema || ddl.template['name'] !== partition.name) {
    refuse('its DDL is that of another table');
  }
  const timeZone = timeZoneOf(manifest);
  if (timeZone !== null && !isTimeZone(timeZone)) {
    refuse(`time zone ${JSON.stringify(timeZone)} is not known`);
  }
}

/**
 * Checks the objects of an archive before anything is made of them: aws_s3 imports the current version of each, so that
 * has to be the manifest's; and the DDL in the manifest must be the one that lies beside it. `ArchiveExpired` where
 * nothing of it is current any more.
 */
export async function checkObjects(
  manifest: Manifest,
  key: string,
  {
    store,
    database,
    clock,
  }: { readonly store: ArchiveStore; readonly database: RestoreDatabase; readonly clock: Clock },
): Promise<void> {
  const problems = await currentVersionProblems(manifest, store);
  if (hasExpired(manifest, problems, clock.now())) {
    throw new ArchiverError(
      'ArchiveExpired',
      `${key}: none of its ${String(problems.length)} data objects is current any more: it has expired, or all of it was deleted`,
    );
  }
  if (problems.length > 0) {
    throw new ArchiverError(
      'ArchiveDamaged',
      problems.map((each) => `${each.key}: ${each.problem}`).join('; '),
    );
  }
  const text = await readText(store, manifest.ddl);
  if (sha256Of(text) !== manifest.ddl.sha256) {
    throw new ArchiverError(
      'ArchiveDamaged',
      `${manifest.ddl.key} has another SHA-256 than its manifest says`,
    );
  }
  // Another version of this product may write the same DDL in other words.
  if (manifest.product.version !== PRODUCT.version) return;
  const { schema, name } = manifest.partition;
  const statements = await database.render(manifest, { schema, table: name }, 'all');
  if (ddlFile({ archiveId: manifest.archiveId, schema, name }, statements) !== text) {
    throw new ArchiverError('ManifestInvalid', `${key}: its DDL is not that of ${manifest.ddl.key}`);
  }
}

/** Whether nothing of an archive is current any more, since it was to expire. */
export async function isExpired(manifest: Manifest, store: ArchiveStore, now: Date): Promise<boolean> {
  return hasExpired(manifest, await currentVersionProblems(manifest, store), now);
}

/** S3 expires nothing on the day of its making, and all objects of an archive alike. */
function hasExpired({ segments, times }: Manifest, problems: readonly AuditProblem[], now: Date): boolean {
  const objects = segments.flatMap((segment) => segment.objects);
  const gone = problems.filter(({ problem }) => problem === NOT_CURRENT);
  return (
    objects.length > 0 &&
    gone.length === objects.length &&
    gone.length === problems.length &&
    now.getTime() - Date.parse(times.committedAt) >= DAY_MS
  );
}

/**
 * Parts what is missing into what the restore cannot do without and what is only worth a warning: a table that only a
 * foreign key needs, a role that only a grant does, and publications, in which a restored table is not.
 */
export function classifyMissing(
  missing: readonly MissingDependency[],
  template: Manifest['ddl']['template'],
  request: Pick<RestoreOptions, 'grants' | 'foreignKeys'> & { readonly owner: string },
): { readonly needed: readonly MissingDependency[]; readonly warnings: readonly string[] } {
  const mentioned = (section: string, name: string): boolean =>
    JSON.stringify(template[section] ?? []).includes(JSON.stringify(name).slice(1, -1));
  const isNeeded = ({ kind, identity, prevents }: MissingDependency): boolean => {
    if (kind === 'publication' || !prevents) return false;
    if (mentioned('structure', identity)) return true;
    // The owner is checked with the target.
    if (kind === 'role')
      return request.grants && identity !== displayColumn(request.owner) && grantsTo(template, identity);
    if (kind === 'table' && mentioned('foreign_keys', identity)) return request.foreignKeys;
    return !(kind === 'table' && mentioned('foreign_triggers', identity));
  };
  return {
    needed: missing.filter(isNeeded),
    warnings: missing
      .filter((each) => !isNeeded(each) && each.kind !== 'role')
      .map(({ kind, identity, problem }) => `${kind} ${identity} ${problem}`),
  };
}

/** Whether a grant names the role. */
function grantsTo(template: Manifest['ddl']['template'], role: string): boolean {
  const statements: unknown = template['ownership'];
  if (!Array.isArray(statements)) return false;
  return statements.some(
    (statement) =>
      typeof statement === 'string' && statement.startsWith('GRANT ') && statement.includes(` TO ${role}`),
  );
}
