/** The SQL for aurora_analytics, on a PostgreSQL that has a wrapper of this name without an engine: nothing of it can be read. */
import { expect, test } from '@jest/globals';
import type { StoredManifest } from '../../../core/archive-store.ts';
import { auroraSql, auroraStatements } from '../../../core/query/aurora.ts';
import { convert } from '../../../core/query/convert.ts';
import { mapColumns, type SourceColumn } from '../../../core/query/parquet-map.ts';
import { psql, quote } from '../../support/archives.ts';
import { sourceColumnsOf } from '../../support/copy-text.ts';
import { convertPorts, putFlights, withFiles } from '../../support/copies.ts';
import { useDatabase } from '../../support/database.ts';
import { manifestOf, memoryStore } from '../../support/memory-store.ts';
import { oddFixture } from '../../support/odd-set.ts';
import { useDirectory } from '../../support/parquet-copy.ts';

const database = useDatabase();
const directory = useDirectory();
const REGION = 'eu-central-1';
const FOLDER = 's3://bucket/db/odd/sample/';

/** Runs the statements, all but the one that makes the extension, which only Aurora has. */
async function runOnPostgres(statements: string): Promise<void> {
  const { sql, url } = database();
  await sql.unsafe(`do $$ begin
    create foreign data wrapper nothing; create server aurora_analytics_server foreign data wrapper nothing;
    exception when duplicate_object then null; end $$`);
  expect(statements).toContain('CREATE EXTENSION IF NOT EXISTS aurora_analytics;\n');
  await psql(url, statements.replace('CREATE EXTENSION IF NOT EXISTS aurora_analytics;\n', ''));
}

const columnsOf = (table: string): Promise<SourceColumn[]> => sourceColumnsOf(database(), table);

test('the view has the columns and the types of the set, whatever archives hold as text or lack', async () => {
  const { sql, url } = database();
  await psql(url, oddFixture('awkward-types'));
  const source = await columnsOf('odd.sample');
  expect(source.length).toBeGreaterThan(60);
  const dates = new Map([['a_timestamptz', 'a value is infinite']]);
  const archives = [source.slice(0, 40), source, source].map((columns, index) => ({
    archiveId: `0000000${String(index)}-0000-4000-8000-000000000000`,
    period: '202101',
    location: `s3://bucket/db/odd/sample/202101/query/${String(index)}/`,
    columns: mapColumns(columns, index === 1 ? dates : new Map()).map((column) => ({ ...column })),
  }));
  const statements = auroraSql({ schema: 'odd', table: 'sample' }, archives, [FOLDER], REGION);
  await runOnPostgres(statements);
  expect(await columnsOf('odd_archive.sample')).toEqual(source);
  const foreign = await sql<{ name: string; options: string[] }[]>`
    select ftrelid::regclass::text as name, ftoptions as options from pg_foreign_table order by 1`;
  expect(foreign.map(({ name }) => name)).toEqual([
    'odd_archive.sample_202101_00000000_e3b9902f',
    'odd_archive.sample_202101_00000001_1553e42d',
    'odd_archive.sample_202101_00000002_b8be8498',
  ]);
  expect(foreign[0]?.options).toEqual([
    'location=s3://bucket/db/odd/sample/202101/query/0/',
    'format=parquet',
    'region=eu-central-1',
  ]);
  // Run again, it ends the same. Seen to fail with the view dropped and created: its privileges were lost, and a view over it
  // made the statements fail; and without what drops foreign tables: that of an expired archive stayed.
  await sql.unsafe(`create view public.mine as select * from odd_archive.sample; create foreign table odd_archive.other ()
    server aurora_analytics_server options (location 's3://bucket/db/odd/sample_2/');
    grant select on odd_archive.sample to public`);
  await runOnPostgres(statements);
  const columns = [...source, { name: 'added', type: 'text[]' }];
  await sql`alter table odd.sample add added text[]`;
  const later = {
    ...archives[2]!,
    location: `${FOLDER}202102/`,
    columns: mapColumns(columns).map((c) => ({ ...c })),
  };
  await runOnPostgres(auroraSql({ schema: 'odd', table: 'sample' }, [archives[1]!, later], [FOLDER], REGION));
  expect(await columnsOf('odd_archive.sample')).toEqual(columns);
  const [kept] = await sql<object[]>`
    select has_table_privilege('public', 'odd_archive.sample', 'select') as granted, array(
      select split_part(ftrelid::regclass::text, '_', 4) from pg_foreign_table order by 1) as archives`;
  expect(kept).toEqual({ granted: true, archives: ['', '00000001', '00000002'] });
});

// Seen to fail without the name as JSON in the comment (the second line of the name was run), and with a name cut by
// characters instead of bytes (two archives had one foreign table).
test('names that are hard to write down stay names', async () => {
  const { sql } = database();
  const schema = 'we"ird; \n create table public.injected (); --';
  const table = `${'ü'.repeat(30)}'"`;
  const names = ['a"b', "it's", 'select', 'größe', 'new\nline', '%I $1', 'MiXed'];
  const list = names.map((name) => `${quote(name)} text[]`).join(', ');
  await sql.unsafe(`create schema ${quote(schema)}; create table ${quote(schema)}.${quote(table)} (${list})`);
  const columns = mapColumns(names.map((name) => ({ name, type: 'text[]' }))).map((column) => ({
    ...column,
  }));
  const archives = ['11111111', '22222222'].map((id) => ({
    archiveId: `${id}-0000-4000-8000-000000000000`,
    period: '20210131',
    location: "s3://bucket/it's/",
    columns,
  }));
  await runOnPostgres(auroraSql({ schema, table }, archives, ["s3://bucket/it's/"], REGION));
  const [found] = await sql<{ tables: number; injected: string | null }[]>`
    select count(*)::integer as tables, to_regclass('public.injected') as injected
      from pg_foreign_table where ftoptions[1] = ${"location=s3://bucket/it's/"}`;
  expect(found).toEqual({ tables: 2, injected: null });
  expect(() =>
    auroraSql(
      { schema, table },
      [
        {
          ...archives[0]!,
          columns: mapColumns(['a', 'A'].map((name) => ({ name, type: 'text' }))).map((c) => ({ ...c })),
        },
      ],
      [FOLDER],
      REGION,
    ),
  ).toThrow(expect.objectContaining({ code: 'CatalogConflict' }));
});

test('each archive is one foreign table over its latest copy; without one, it says what to convert', async () => {
  const store = memoryStore();
  const columns: SourceColumn[] = [
    { name: 'date', type: 'timestamp with time zone' },
    { name: 'tags', type: 'text[]' },
  ];
  const rows = ['2025-01-01 00:00:00+00\t{a}\n'];
  const archives = [
    await putFlights(store, '2025-01', columns, [rows]),
    await putFlights(store, '2025-02', columns, [[]], {}),
  ];
  const set = { schema: 'public', table: 'flights' };
  const print = (latest = false): Promise<string> => auroraStatements(set, { latest }, REGION, store);
  await expect(print()).rejects.toMatchObject({ code: 'CopyMissing' });
  const ports = convertPorts(withFiles(store, directory()), directory());
  for (const archive of archives) await convert(archive, { rebuild: false }, ports);
  await convert(archives[0]!, { rebuild: true }, ports);
  const statements = await print();
  expect(statements.match(/CREATE FOREIGN TABLE/g)).toHaveLength(1);
  expect(statements).toMatch(
    /location 's3:\/\/[^']+\/public\/flights\/202501\/query\/[0-9a-f-]{36}\/20261129T\d{9}Z-u3\/'/,
  );
  expect(statements).toContain('"tags"::text[] AS "tags"');
  await expect(
    auroraStatements({ ...set, table: 'other' }, { latest: false }, REGION, store),
  ).rejects.toMatchObject({ code: 'InvalidInput' });
  await putFlights(store, '2025-01', columns, [rows]);
  await expect(print()).rejects.toMatchObject({ code: 'ArchivesOverlap' });
});

// Seen to fail before: --print-aurora took no --former-name. And with the folder of the one name alone: the foreign table of
// an earlier copy under the former name stayed.
test('archives under a former name of the database are in the view', async () => {
  const store = memoryStore();
  const columns: SourceColumn[] = [{ name: 'date', type: 'timestamp with time zone' }];
  const ports = convertPorts(withFiles(store, directory()), directory());
  const under = async (name: string, month: string): Promise<StoredManifest> => {
    const source = { ...manifestOf({}).source, database: name };
    const archive = await putFlights(store, month, columns, [[`${month}-05 00:00:00+00\n`]], { source });
    await convert(archive, { rebuild: false }, ports);
    return archive;
  };
  await under('shop', '2025-02');
  const former = await under('shop_old', '2025-01');
  await database().sql.unsafe('create table public.flights (date timestamptz)');
  const set = { schema: 'public', table: 'flights' };
  const choice = { latest: false, formerNames: ['shop_old'] };
  const print = (): Promise<string> => auroraStatements(set, choice, REGION, store);
  await expect(auroraStatements(set, { latest: false }, REGION, store)).rejects.toMatchObject({
    message: expect.stringContaining('--former-name'),
  });
  await runOnPostgres(await print());
  const read = async (): Promise<string[]> => {
    const tables = await database().sql<{ folder: string }[]>`
      select regexp_replace(ftoptions[1], '^location=s3://[^/]+/|[^/]+/query/.*', '', 'g') as folder from pg_foreign_table
       where ftrelid::regclass::text like 'public_archive.flights_%' order by 1`;
    return tables.map(({ folder }) => folder);
  };
  const both = ['shop/public/flights/', 'shop_old/public/flights/'];
  expect(await read()).toEqual(both);
  const [{ tables }] = await database().sql<[{ tables: number }]>`
    select count(distinct refobjid)::integer as tables from pg_depend
     where classid = 'pg_rewrite'::regclass and refclassid = 'pg_class'::regclass
       and refobjid in (select ftrelid from pg_foreign_table)
       and objid in (select oid from pg_rewrite where ev_class = 'public_archive.flights'::regclass)`;
  expect(tables).toBe(2);
  await convert(former, { rebuild: true }, ports);
  await runOnPostgres(await print());
  expect(await read()).toEqual(both);
});
