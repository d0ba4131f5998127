import type { PublicationFacts } from '../../core/publications.ts';
import type { Connection } from './connect.ts';
import { readDatabaseFile } from './install.ts';

/** Tables that are there, or that will be; without a table, everything in the schema. */
type Tables = readonly { readonly schema: string; readonly table: string }[];

/** The publications that carry the archiver's tables or one of `tables`, or would. */
export async function publications(
  connection: Connection,
  tables: Tables,
): Promise<readonly PublicationFacts[]> {
  return connection<PublicationFacts[]>`
    select publication as name, problem, remedy
      from partition_archiver.publications(${connection.json([...tables] as never)}::jsonb)`;
}

/** The same where nothing is installed yet: by the text of the function, in db/setup/publications.sql. */
export async function publicationsBeforeInstallation(
  connection: Connection,
  tables: Tables,
): Promise<readonly PublicationFacts[]> {
  const [, query = ''] = (await readDatabaseFile('setup/publications.sql')).split('$publications$');
  return connection.unsafe<PublicationFacts[]>(
    `select pubname as name, problem, remedy from (${query}) as p (pubname, owner, carries, problem, remedy)`,
    [JSON.stringify(tables), true],
  );
}
