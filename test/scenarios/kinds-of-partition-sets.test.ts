import { expect, test } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { quote, readArchives, restoreByPsql, rowsOf } from '../support/archives.ts';
import { createKind, type Kind } from '../support/kinds.ts';
import { inState } from '../support/ledger.ts';

const archiver = useArchiver();

const days = (from: number, every: string): string =>
  `generate_series(now() - interval '${String(from)} days', now(), interval '${every}') as at`;

/** Sets of every kind, each with the number of partitions that are past its retention and the look of a period. */
const KINDS: readonly (Kind & { cold: number; period: RegExp })[] = [
  {
    ...{ schema: 'kinds', table: 'daily', controlType: 'timestamptz', interval: 'daily' },
    ...{ start: `(now() - interval '6 days')::date`, retention: '3 days', cold: 3, period: /^\d{8}$/ },
    values: `select at from ${days(6, '1 hour')}`,
  },
  {
    ...{ schema: 'kinds', table: 'weekly', controlType: 'timestamptz', interval: 'weekly' },
    ...{ start: `(now() - interval '35 days')::date`, retention: '14 days', cold: 3, period: /^\d{8}$/ },
    values: `select at from ${days(35, '7 hours')}`,
  },
  {
    ...{ schema: 'kinds', table: 'monthly', controlType: 'timestamptz', interval: 'monthly' },
    start: `date_trunc('month', now()) - interval '4 months'`,
    ...{ retention: '2 months', cold: 2, period: /^\d{6}$/ },
    values: `select at from ${days(85, '1 day')}`,
  },
  {
    ...{ schema: 'kinds', table: 'quarterly', controlType: 'timestamptz', interval: 'quarterly' },
    start: `date_trunc('quarter', now()) - interval '12 months'`,
    ...{ retention: '6 months', cold: 2, period: /^\d{4}(01|04|07|10)$/ },
    values: `select at from ${days(270, '2 days')}`,
  },
  {
    ...{ schema: 'kinds', table: 'yearly', controlType: 'timestamptz', interval: 'yearly' },
    start: `date_trunc('year', now()) - interval '3 years'`,
    ...{ retention: '1 year', cold: 2, period: /^\d{4}$/ },
    values: `select at from ${days(1000, '5 days')}`,
  },
  {
    ...{ schema: 'kinds', table: 'by_id', controlType: 'bigint', interval: '1000', premake: 6 },
    ...{ start: `0`, retention: '2000', cold: 3, period: /^(0|[12]000)$/ },
    values: `select at from generate_series(1, 5500, 50) at`,
  },
  {
    ...{ schema: 'kinds', table: 'epoch', controlType: 'bigint', interval: 'monthly', epoch: 'seconds' },
    start: `date_trunc('month', now()) - interval '4 months'`,
    ...{ retention: '2 months', cold: 2, period: /^\d{6}$/ },
    values: `select extract(epoch from at)::bigint from ${days(85, '1 day')}`,
  },
  {
    ...{ schema: 'kinds', table: 'no_zone', controlType: 'timestamp', interval: 'monthly' },
    start: `date_trunc('month', now()) - interval '4 months'`,
    ...{ retention: '2 months', cold: 2, period: /^\d{6}$/ },
    values: `select at from ${days(85, '1 day')}`,
  },
  {
    ...{ schema: 'kinds', table: 'by_date', controlType: 'date', interval: 'monthly' },
    start: `date_trunc('month', now()) - interval '4 months'`,
    ...{ retention: '2 months', cold: 2, period: /^\d{6}$/ },
    values: `select at from ${days(85, '1 day')}`,
  },
];

test('sets of every kind are archived in one run, and every row is in a table or in an archive', async () => {
  const { database, s3, bucket, run, config } = archiver();
  const { sql } = database;
  const before = new Map<string, string[]>();
  for (const kind of KINDS) {
    await createKind(sql, kind);
    before.set(kind.table, await rowsOf(sql, `kinds.${kind.table}`));
  }

  const sets = KINDS.map(({ schema, table }) => ({ schema, table, drop: true, graceDays: 0 }));
  const report = await run(config(sets));

  const cold = KINDS.reduce((sum, kind) => sum + kind.cold, 0);
  expect(report).toMatchObject({ archived: cold, dropped: cold, failed: 0, tooYoung: [] });
  const archives = await readArchives(s3, bucket);
  for (const { table, cold, period } of KINDS) {
    const dropped = await inState(sql, 'dropped', table);
    expect([table, dropped.length]).toEqual([table, cold]);
    for (const line of dropped) expect(line.period).toMatch(period);
    const rows = await rowsOf(sql, `kinds.${table}`);
    for (const archive of archives.filter(({ manifest }) => manifest.partition.parentName === table)) {
      await restoreByPsql(database, archive);
      rows.push(...(await rowsOf(sql, `kinds.${quote(archive.manifest.partition.name)}`)));
    }
    expect(rows.sort()).toEqual(before.get(table)?.sort());
  }
});
