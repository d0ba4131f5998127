import { PINS } from '../../core/pins.ts';
import type { SourceColumn } from '../../core/query/parquet-map.ts';
import { psql, quote } from './archives.ts';
import type { TestDatabase } from './database.ts';

/** The columns of a table as the manifest of an archive names them. */
export async function sourceColumnsOf(
  { sql }: Pick<TestDatabase, 'sql'>,
  table: string,
): Promise<SourceColumn[]> {
  const columns = await sql.begin(async (tx) => {
    await tx`set local search_path = pg_catalog, pg_temp`;
    return tx<SourceColumn[]>`
      select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`;
  });
  return columns.map(({ name, type }) => ({ name, type }));
}

/** The text of a table as the archive has it, and its columns. */
export async function copyText(
  database: Pick<TestDatabase, 'sql' | 'url'>,
  table: string,
): Promise<{ readonly text: Buffer; readonly source: SourceColumn[] }> {
  const source = await sourceColumnsOf(database, table);
  const pins = Object.entries(PINS).map(([name, value]) => `set ${name} = '${value}';`);
  const list = source.map(({ name }) => quote(name)).join(', ');
  const output = await psql(
    database.url,
    `${pins.join('\n')}\ncopy (select ${list} from ${table}) to stdout with (encoding 'UTF8');\n`,
  );
  return { text: Buffer.from(output, 'utf8'), source };
}
