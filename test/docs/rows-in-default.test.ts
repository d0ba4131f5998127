/** The statements of the runbook that move rows out of the default partition. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { createPartitionSet } from '../support/partition-sets.ts';

const archiver = useArchiver();
const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');

/** Statements of the first block of SQL below a heading. */
function statementsBelow(heading: string): string[] {
  const [, section = ''] = runbook.split(`\n### ${heading}\n`);
  const [, block = ''] = /```sql\n([^`]+)```/.exec(section) ?? [];
  return block.split(';\n').filter((statement) => statement.trim() !== '');
}

// Seen to fail with `select partman.partition_data_time(…)` as the administrator, which the page had: one batch was moved, and
// the partitions belonged to the administrator. And without either grant.
test('all rows in the default partition get partitions, which belong to the owner of the set', async () => {
  const { sql } = archiver().database;
  const { owner } = await createPartitionSet(sql, { months: 3, rowsPerMonth: 5 });
  await sql`
    insert into app.event (id, ts)
    select g, date_trunc('month', now()) + make_interval(months => 6 + g) from generate_series(1, 3) g`;
  const inDefault = async (): Promise<number> => (await sql`select from only app.event_default`).length;
  expect(await inDefault()).toBe(3);

  const session = await sql.reserve();
  try {
    for (const statement of statementsBelow('RowsInDefault')) {
      await session.unsafe(statement.replaceAll('shop_owner', owner).replaceAll('shop.orders', 'app.event'));
    }
  } finally {
    session.release();
  }

  expect(await inDefault()).toBe(0);
  const owners = await sql<{ owner: string }[]>`
    select distinct pg_get_userbyid(c.relowner) as owner
      from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'app.event'::regclass`;
  expect(owners).toEqual([{ owner }]);
}, 60_000);
