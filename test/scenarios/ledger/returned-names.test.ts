/** The names that indexes have when their table has been returned to its owner. */
import { expect, test } from '@jest/globals';
import { useAsking } from '../../support/asking.ts';

const { sql, bring } = useAsking();

// Seen to fail (42P07) without the looks at the name in give_names_back().
test('an index whose name was taken meanwhile keeps another, and one that was made again has its own', async () => {
  const { id, steps, line } = await bring('named', 'detached');
  const { table, oid } = await line();
  await sql().unsafe(`
    create index taken on app.${table} (ts);
    create index again on app.${table} (ts, id)`);
  await steps.quarantine(id, await steps.preflight({}));
  const [{ name, again }] = await sql()<[{ name: string; again: string }]>`
    select ${oid}::regclass::text as name, indexrelid::regclass::text as again from pg_index
     where indrelid = ${oid}::oid and indexrelid::regclass::text like '%.again%'`;
  await sql().unsafe(`
    create index taken on app.named (id);
    drop index ${again};
    create index again on ${name} (ts, id)`);

  await sql()`select partition_archiver.release(${id}::bigint)`;

  const indexes = await sql()<{ name: string }[]>`
    select indexrelid::regclass::text as name from pg_index
     where indrelid = ${oid}::oid and indexrelid::regclass::text !~ '^app\.named' order by name`;
  expect(indexes.map((index) => index.name)).toEqual([
    'app.again',
    expect.stringMatching(/^app\.taken_\d+$/),
  ]);
  const notes = await sql()`
    select note from partition_archiver.event where partition_id = ${id} and note is not null`;
  expect(notes).toEqual([
    { note: expect.stringMatching(/^index taken is called taken_\d+: the name was taken$/) },
  ]);
});
