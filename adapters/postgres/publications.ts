import type { PublicationFacts } from '../../core/setup/prepare-database.ts';
import type { Connection } from './connect.ts';
import { readDatabaseFile } from './install.ts';

/**
 * The publications that carry the archiver's tables or one of `tables`, or would. Works where nothing is installed yet: it
 * runs what db/setup/publications.sql makes a function of.
 */
export async function publications(
  connection: Connection,
  tables: readonly { readonly schema: string; readonly table: string }[],
): Promise<readonly PublicationFacts[]> {
  const [, query = ''] = (await readDatabaseFile('setup/publications.sql')).split('$publications$');
  const rows = await connection.unsafe<{ publication: string; problem: string; remedy: string }[]>(
    `select pubname as publication, problem, remedy from (${query}) as p (pubname, owner, carries, problem, remedy)`,
    [JSON.stringify(tables), true],
  );
  return rows.map(({ publication, problem, remedy }) => ({ name: publication, problem, remedy }));
}
