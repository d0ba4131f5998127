import type { PartitionSetConfig } from '../config/partition-set.ts';
import { displayName } from '../partition.ts';
import { SESSION_PINS } from '../pins.ts';
import { type DatabaseFacts, type ExtensionFacts, LOGIN_ROLES } from './prepare-database.ts';

/** Each owner of configured tables, with the schemas of these. */
export function ownersAndSchemas(
  facts: DatabaseFacts,
  sets: readonly PartitionSetConfig[],
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string[]>();
  sets.forEach(({ schema }, index) => {
    const owner = facts.owners[index] ?? null;
    if (owner === null) return; // The preflight says that there is no such table.
    const schemas = owners.get(owner) ?? [];
    if (!schemas.includes(schema)) schemas.push(schema);
    owners.set(owner, schemas);
  });
  return owners;
}

const isStreamed = (set: PartitionSetConfig): boolean => set.export === 'stream';

/** Extensions that these sets need: aws_s3 only where one of them is exported by it, or none is configured yet. */
export function neededExtensions(
  { extensions }: DatabaseFacts,
  sets: readonly PartitionSetConfig[],
): readonly ExtensionFacts[] {
  const all = sets.length > 0 && sets.every(isStreamed);
  return all ? extensions.filter(({ name }) => name !== 'aws_s3') : extensions;
}

/** The statement that installs an extension where the archiver expects it. */
export function extensionStatement(name: ExtensionFacts['name']): string {
  return name === 'pg_partman'
    ? 'create schema if not exists partman; create extension if not exists pg_partman schema partman;'
    : 'create extension if not exists aws_s3 cascade;';
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The statement that registers an owner. */
export function registerOwnerStatement(owner: string, schemas: readonly string[]): string {
  return `select partition_archiver.register_owner(${literal(owner)}, array[${schemas.map(literal).join(', ')}]::name[]);`;
}

/** The same preparation as a script for psql, for a DBA who runs it by hand. `files` are db/*.sql in their order. */
export function preparationScript(
  facts: DatabaseFacts,
  {
    partitionSets,
    acceptedPublications = [],
  }: {
    readonly partitionSets: readonly PartitionSetConfig[];
    readonly acceptedPublications?: readonly string[] | undefined;
  },
  files: { readonly install: readonly string[]; readonly guard: string },
): string {
  const sets = JSON.stringify(
    partitionSets.map(({ schema, table, timeZone, export: way }) => ({
      schema,
      table,
      timeZone,
      export: way,
    })),
  );
  const missing = partitionSets.filter((_, index) => (facts.owners[index] ?? null) === null);
  return [
    `-- Prepares database ${facts.database.replaceAll(/[\r\n]/g, ' ')} for partition-archiver. Run it by psql as an administrator`,
    '-- (rds_superuser on RDS); safe to run again.',
    '\\set ON_ERROR_STOP on',
    '-- Whatever the database has for its sessions:',
    ...Object.entries(SESSION_PINS).map(
      ([name, value]) => `set ${name} = ${name === 'search_path' ? value : literal(value)};`,
    ),
    "-- A publication that would carry the archiver's tables makes it refuse, but for those of this list:",
    `set partition_archiver.accepted_publications = ${literal(acceptedPublications.join(', '))};`,
    ...neededExtensions(facts, partitionSets)
      .filter(({ installed }) => installed === null)
      .map(({ name }) => extensionStatement(name)),
    'begin;',
    ...files.install,
    'select partition_archiver.grant_extensions();',
    'commit;',
    ...missing.map(
      ({ schema, table }) =>
        `-- There is no table ${displayName(schema, table)}: register its owner once it is there.`,
    ),
    ...[...ownersAndSchemas(facts, partitionSets)].map(([owner, schemas]) =>
      registerOwnerStatement(owner, schemas),
    ),
    '-- Give the login roles the passwords of their secrets:',
    ...LOGIN_ROLES.filter((role) => role !== 'archiver_stream' || partitionSets.some(isStreamed)).map(
      (role) => `--   \\password ${role}`,
    ),
    '-- Optional; may be refused to an administrator who is no superuser:',
    '\\set ON_ERROR_STOP off',
    files.guard,
    'reset role;',
    '\\set ON_ERROR_STOP on',
    '-- What is still missing, if anything:',
    `select * from partition_archiver.preflight(${literal(sets)}::jsonb, ${literal(JSON.stringify(acceptedPublications))}::jsonb);`,
    '',
  ].join('\n');
}
