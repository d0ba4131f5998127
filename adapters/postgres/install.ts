import { readFile } from 'node:fs/promises';
import type { Connection } from './connect.ts';

/** Version of the objects in db/ that this release works with: what `partition_archiver.schema_version()` answers. */
export const SCHEMA_VERSION = 1;

/** The files of db/ in the order in which psql or `installArchiver` runs them. */
export const INSTALL_FILES = [
  '010-roles.sql',
  '020-ledger.sql',
  'ddl.sql',
  '030-inventory.sql',
  '040-quarantine.sql',
  '050-export.sql',
  '060-commit.sql',
  '070-drop.sql',
  '080-preflight.sql',
  '090-grants.sql',
] as const;

const DB = new URL('../../db/', import.meta.url);

/** Installs or upgrades roles, ledger and functions as an administrator. Safe to run again; all or nothing. */
export async function installArchiver(connection: Pick<Connection, 'begin'>): Promise<void> {
  const files = await Promise.all(INSTALL_FILES.map((name) => readFile(new URL(name, DB), 'utf8')));
  await connection.begin(async (transaction) => {
    for (const sql of files) await transaction.unsafe(sql);
  });
}

/** Lets the archiver work on the tables of one owner, and use pg_partman and aws_s3. Safe to run again. */
export async function enrollOwner(
  connection: Connection,
  owner: string,
  schemas: readonly string[],
): Promise<void> {
  await connection.begin(async (transaction) => {
    const [partman] = await transaction<{ schema: string }[]>`
      select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman'`;
    await transaction`grant ${transaction(owner)} to archive_owner, archiver_maintain`;
    for (const schema of schemas) {
      await transaction`grant usage on schema ${transaction(schema)} to archive_owner, archiver_maintain`;
    }
    if (partman !== undefined) {
      const name = transaction(partman.schema);
      await transaction`grant usage on schema ${name} to archive_owner, archiver_maintain`;
      await transaction`grant select on all tables in schema ${name} to archive_owner`;
      await transaction`grant select, insert, update, delete on all tables in schema ${name} to archiver_maintain`;
      await transaction`grant execute on all routines in schema ${name} to archiver_maintain`;
    }
    await transaction`grant usage on schema aws_s3, aws_commons to archiver_read`;
    await transaction`grant execute on all functions in schema aws_s3, aws_commons to archiver_read`;
  });
}
