/** A set that refers to another set: its foreign keys have parts, one for each partition of the other. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

// Seen to fail without `conparentid = 0` in unvalidated_foreign_keys: a warning for each part, which no table fulfils alone.
test('a foreign key to a partitioned table is validated as one', async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  for (const table of ['event', 'item']) await createPartitionSet(sql, { table, rowsPerMonth: 20 });
  await sql`alter table app.item add constraint item_event foreign key (id, ts) references app.event (id, ts)`;
  const sets = ['item', 'event'].map((table) => ({ schema: 'app', table, drop: true, graceDays: 0 }));
  expect(await run(config(sets))).toMatchObject({ dropped: 4, failed: 0 });
  await sql`update partman.part_config set retention = '99 years'`;

  for (const table of ['event', 'item']) {
    const { archives } = await operations().find({ schema: 'app', table });
    for (const { manifestKey } of archives) {
      const attach = table === 'event' ? 'parent' : null;
      expect(await operations().restore({ manifestKey, attach })).toMatchObject({ warnings: [], unmade: [] });
    }
  }
  const keys = await sql`
    select conrelid::regclass::text as "table", convalidated from pg_constraint k join partition_archiver.partition on table_oid = conrelid
     where state = 'restored' and conparentid = 0 and conname = 'item_event'`;
  expect(keys).toHaveLength(2);
  expect(keys.every(({ convalidated }) => convalidated === true)).toBe(true);
});
