import { ArchiverError } from '../../core/errors.ts';
import { using, type CommandContext } from './command.ts';
import type { CommandNeeds } from './settings.ts';

/** The database that every server has, unless it was dropped. */
const COMMON_DATABASE = 'postgres';

/**
 * Whether the server has no database of the name that is configured: `InvalidConfiguration` with the names that it has;
 * `null` where it has one, and where that cannot be found out. A pooler takes a client for a database that does not exist,
 * and lets the client wait until its own time limit (PgBouncer 1.18: 30 s, by that of the driver), without a reason.
 */
export async function absentDatabase(
  { open, database }: Pick<CommandContext, 'open' | 'database'>,
  { logins: [login] = [] }: CommandNeeds,
): Promise<ArchiverError | null> {
  if (login === undefined || database === '' || database === COMMON_DATABASE) return null;
  try {
    const rows = await using(
      open(login, [], COMMON_DATABASE),
      (connection) => connection<{ name: string; wanted: boolean }[]>`
        select datname as name, datname = ${database} as wanted from pg_catalog.pg_database
         where datallowconn and not datistemplate order by 1`,
    );
    if (rows.length === 0 || rows.some(({ wanted }) => wanted)) return null;
    const names = rows.map(({ name }) => name).join(', ');
    return new ArchiverError(
      'InvalidConfiguration',
      `PGDATABASE: the server has no database ${JSON.stringify(database)}; it has ${names}`,
    );
  } catch {
    // A role may not connect there. What the command itself meets is reported.
    return null;
  }
}
