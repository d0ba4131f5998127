import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { readArchives, restoreByPsql, rowsOf } from '../../support/archives.ts';
import { nth } from '../../support/ledger.ts';
import { createOddSet } from '../../support/odd-set.ts';

const archiver = useArchiver();

test('nearly every type, with values that are hard to write down, comes back row by row (hazard 25)', async () => {
  const { database, s3, bucket, run, config } = archiver();
  const { sql } = database;
  await createOddSet(database);
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
