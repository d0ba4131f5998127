import { expect, test } from '@jest/globals';
import {
  COUNT_QUARANTINED,
  COUNT_ROWS,
  countDifferences,
  MAKE_SET,
  OBSOLETE,
  RESTORED,
  ROWS,
} from '../../acceptance/rows.ts';
import { useDatabase } from '../support/database.ts';
import { prepared } from '../support/prepare.ts';

const database = useDatabase();

/** What Aurora is told, on a real PostgreSQL with pg_partman. */
test('the set can be archived, and a restored month is compared row by row', async () => {
  const { sql } = database();
  const [role, ...statements] = MAKE_SET;
  // Roles belong to the whole server, which other runs of this test have used.
  await sql.unsafe(`do $do$ begin ${role}; exception when duplicate_object then null; end $do$`);
  for (const statement of statements) await sql.unsafe(statement);
  expect(await sql.unsafe(COUNT_ROWS)).toEqual([{ rows: ROWS }]);
  expect(await sql.unsafe(COUNT_QUARANTINED)).toEqual([{ tables: 0 }]);
  expect((await prepared(sql, ['shop.orders'])).problems).toEqual([]);

  const months = await sql<{ month: string; obsolete: boolean }[]>`
    select to_char(date_trunc('month', created_at, 'UTC') at time zone 'UTC', 'YYYYMM') as month,
           bool_and(created_at < date_trunc('month', now(), 'UTC') - interval '3 months') as obsolete
      from shop.orders group by 1 order by 1`;
  expect(months.filter(({ obsolete }) => obsolete)).toHaveLength(OBSOLETE);

  const [{ month: period }] = months as unknown as [{ month: string }];
  await sql.unsafe(`
    create table shop.${RESTORED} as select * from shop.orders
     where to_char(created_at at time zone 'UTC', 'YYYYMM') = '${period}'`);
  const [{ rows, differences }] = (await compare(period)) as unknown as [
    { rows: number; differences: number },
  ];
  expect(rows).toBeGreaterThan(4000);
  expect(differences).toBe(0);
  await sql.unsafe(`update shop.${RESTORED} set note = 'other' where id = 7`);
  expect(await compare(period)).toEqual([{ rows, differences: 2 }]);
  await sql.unsafe(`delete from shop.${RESTORED} where id = 7`);
  expect(await compare(period)).toEqual([{ rows: rows - 1, differences: 1 }]);
});

const compare = (period: string) => database().sql.unsafe(countDifferences(period));
