import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { registerOwner } from '../../../adapters/postgres/install.ts';
import { useArchiver } from '../../support/archiver.ts';
import { psql, readArchives, restoreByPsql, rowsOf } from '../../support/archives.ts';
import { giveTo } from '../../support/kinds.ts';
import { nth } from '../../support/ledger.ts';
import { createParent } from '../../support/partman.ts';

const archiver = useArchiver();
const fixture = (name: string): string =>
  readFileSync(new URL(`fixtures/${name}.sql`, import.meta.url), 'utf8');

test('nearly every type, with values that are hard to write down, comes back row by row (hazard 25)', async () => {
  const { database, s3, bucket, run, config } = archiver();
  const { sql, url } = database;
  await sql.unsafe(
    `do $$ begin create role odd_owner; exception when duplicate_object or unique_violation then null; end $$`,
  );
  await psql(url, fixture('awkward-types'));
  const [{ start }] = await sql<[{ start: string }]>`
    select to_char(date_trunc('month', now()) - interval '3 months', 'YYYY-MM-DD') as start`;
  await createParent(sql, { parent: 'odd.sample', control: 'at', interval: 'monthly', premake: 2, start });
  await sql`update partman.part_config set retention = '2 months', retention_keep_table = true`;
  await psql(url, fixture('awkward-rows'));
  await sql.begin((tx) => giveTo(tx, 'odd.sample', 'odd_owner'));
  await sql`alter schema odd owner to odd_owner`;
  await registerOwner(sql, 'odd_owner', ['odd']);
  const before = await rowsOf(sql, 'odd.sample');
  expect(before.length).toBeGreaterThan(450);
  const columns = `select attname, format_type(atttypid, atttypmod) as type, attnotnull, attgenerated, attcollation::regcollation::text
                     from pg_attribute where attnum > 0 and not attisdropped and attrelid = `;
  const columnsBefore = await sql.unsafe(`${columns} 'odd.sample'::regclass order by attnum`);
  expect(columnsBefore.length).toBeGreaterThanOrEqual(67);

  const report = await run(
    config([{ schema: 'odd', table: 'sample', drop: true, graceDays: 0, segmentSizeMiB: 1 }]),
  );

  expect(report).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: before.length });
  const archive = nth(await readArchives(s3, bucket), 0);
  await restoreByPsql(database, archive);
  const restored = `odd.${archive.manifest.partition.name}`;
  expect(await rowsOf(sql, restored)).toEqual(before);
  const columnsAfter = await sql.unsafe(`${columns} '${restored}'::regclass order by attnum`);
  expect([...columnsAfter]).toEqual([...columnsBefore]);
  // It could be a partition again.
  await sql.unsafe(archive.manifest.partition.attachStatement);
  expect(await rowsOf(sql, 'odd.sample')).toEqual(before);
});
