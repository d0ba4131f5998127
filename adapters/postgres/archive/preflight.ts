import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import type { PreflightProblem } from '../../../core/archive/preflight.ts';
import { translated, type Connection } from '../connect.ts';
import { SCHEMA_VERSION } from '../install.ts';

const PREPARE = 'Install db/*.sql of this version as an administrator (see the README).';

/** What would make a run fail in this database. */
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
      return [{ subject: 'schema partition_archiver', problem: 'is not there', remedy: PREPARE }];
    }
    const [{ version }] = await connection<
      [{ version: number }]
    >`select partition_archiver.schema_version() as version`;
    if (version !== SCHEMA_VERSION) {
      const problem = `has version ${String(version)}, but this release works with ${String(SCHEMA_VERSION)}`;
      return [{ subject: 'schema partition_archiver', problem, remedy: PREPARE }];
    }
    const wanted = sets.map(({ schema, table, timeZone }) => ({ schema, table, timeZone }));
    return connection<PreflightProblem[]>`
      select subject, problem, coalesce(remedy, '') as remedy from partition_archiver.preflight(
        ${connection.json(wanted)}::jsonb, ${connection.json([...acceptedPublications])}::jsonb)`;
  });
}
