import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { guardedTransaction, type Connection } from './connect.ts';

/** Version of the objects in db/ that this release works with: what `partition_archiver.schema_version()` returns. */
export const SCHEMA_VERSION = 1;

/** Beside the bundle in a Lambda, in the repository otherwise. */
const DB = [new URL('db/', import.meta.url), new URL('../../db/', import.meta.url)].find((each) =>
  existsSync(each),
);

/** A file of db/. */
export async function readDatabaseFile(name: string): Promise<string> {
  return readFile(new URL(name, DB), 'utf8');
}

/** The files of db/ in the order in which psql or `installArchiver` runs them: the lines of db/install.sql. */
export async function installFiles(): Promise<readonly string[]> {
  const script = await readDatabaseFile('install.sql');
  return [...script.matchAll(/^\\ir (\S+)$/gm)].map(([, file]) => file ?? '');
}

/** The texts of these files. */
export async function readInstallFiles(): Promise<string[]> {
  return Promise.all((await installFiles()).map(readDatabaseFile));
}

/**
 * Installs or upgrades roles, ledger and functions as an administrator. Safe to run again; all or nothing. Refuses where a
 * publication that is not accepted would carry the archiver's tables.
 */
export async function installArchiver(
  connection: Pick<Connection, 'begin'>,
  acceptedPublications: readonly string[] = [],
): Promise<void> {
  const files = await readInstallFiles();
  await guardedTransaction(connection, 'read write isolation level read committed', async (transaction) => {
    await transaction`
      select set_config('partition_archiver.accepted_publications', ${acceptedPublications.join(', ')}, true)`;
    for (const sql of files) await transaction.unsafe(sql);
  });
}

/**
 * Lets the archiver work on the tables of one owner in these schemas, and use pg_partman and aws_s3. As an
 * administrator; safe to run again.
 */
export async function registerOwner(
  connection: Connection,
  owner: string,
  schemas: readonly string[],
): Promise<void> {
  await connection`
    select partition_archiver.register_owner(${owner}::name,
      (select array_agg(s::name) from jsonb_array_elements_text(${connection.json([...schemas])}::jsonb) s))`;
}
