import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import type { PreflightProblem } from '../../../core/archive/preflight.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { translated, type Connection } from '../connect.ts';
import { SCHEMA_VERSION } from '../install.ts';

const PREPARE = 'Install db/*.sql of this version as an administrator (see the README).';
const DEPLOY = 'Deploy the release that installed it, or a newer one.';

/** What would make a run fail in this database. Throws `NotPrepared` where the archiver is not installed. */
export function databaseProblems(
  connection: Connection,
  sets: readonly PartitionSetConfig[],
  acceptedPublications: readonly string[] = [],
): Promise<PreflightProblem[]> {
  return translated('preflight of the database', async () => {
    const [installed] = await connection<[{ there: boolean }]>`
      select exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                      where n.nspname = 'partition_archiver' and p.proname = 'preflight') as there`;
    if (!installed.there) {
      throw new ArchiverError(
        'NotPrepared',
        'schema partition_archiver is not there: this database is not prepared yet, or is another one',
      );
    }
    const [{ version }] = await connection<
      [{ version: number }]
    >`select partition_archiver.schema_version() as version`;
    if (version < SCHEMA_VERSION || !(await supports(connection, version))) {
      const problem = `has version ${String(version)}, but this release works with ${String(SCHEMA_VERSION)}`;
      const remedy = version < SCHEMA_VERSION ? PREPARE : DEPLOY;
      return [{ subject: 'schema partition_archiver', problem, remedy }];
    }
    const wanted = sets.map(({ schema, table, timeZone, export: way }) => ({
      schema,
      table,
      timeZone,
      export: way,
    }));
    return connection<PreflightProblem[]>`
      select subject, problem, coalesce(remedy, '') as remedy from partition_archiver.preflight(
        ${connection.json(wanted)}::jsonb, ${connection.json([...acceptedPublications])}::jsonb)`;
  });
}

/** Whether the database works with functions of this release, though a newer one was installed. */
async function supports(connection: Connection, version: number): Promise<boolean> {
  if (version === SCHEMA_VERSION) return true;
  const [{ oldest }] = await connection<
    [{ oldest: number }]
  >`select partition_archiver.oldest_supported_version() as oldest`;
  return oldest <= SCHEMA_VERSION;
}
