/** What a person reads on the way: dry runs, names with capitals, a database that is not prepared. */
import { expect, test } from '@jest/globals';
import { inspectDatabase } from '../../../adapters/postgres/setup/inspect.ts';
import { readLedger } from '../../../adapters/postgres/archive/status.ts';
import { presentRun } from '../../../bin/archive/present.ts';
import { inspect } from '../../../core/setup/inspect.ts';
import { useArchiver, hurriedClock } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

// Seen to fail without NOT_THERE: 'relation "partition_archiver.partition" does not exist (SQLSTATE 42P01)', and no word of prepare.
test('the ledger of a database that is not prepared: it says to prepare it', async () => {
  const elsewhere = archiver().open('archiver_read', [], 'postgres');
  try {
    const failure = await failureOf(readLedger(elsewhere));
    expect(failure.code).toBe('NotPrepared');
    expect(failure.message).toContain('this database is not prepared yet');
  } finally {
    await elsewhere.end();
  }
});

// Seen to fail without: noSuchTable().
test('a name that differs in capitals only is suggested, in quotes', async () => {
  const { sql } = archiver().database;
  await sql`create schema if not exists shop`;
  await sql`create table shop."Event" (id integer)`;
  await sql`grant usage on schema shop to archiver_maintain`;
  const connection = archiver().open('archiver_maintain');
  try {
    const look = inspect(
      { schema: 'shop', table: 'event' },
      { database: inspectDatabase(connection), clock: hurriedClock },
    );
    expect((await failureOf(look)).message).toBe(
      'there is no table shop.event, but there is shop."Event": a name with capitals is written in quotes',
    );
  } finally {
    await connection.end();
  }
});

// Seen to fail before: "about -1 rows", the same four lines for each partition, and partitions that could never be detached.
test('a dry run says each thing once, and no number that nobody knows', async () => {
  const { sql } = archiver().database;
  await createPartitionSet(sql, { table: 'told', months: 5, rowsPerMonth: 10 });
  const [{ third }] = await sql<[{ third: string }]>`
    select c.oid::regclass::text as third from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'app.told'::regclass order by (select min(ts) from app.told where tableoid = c.oid) offset 2 limit 1`;
  await sql`create table app.remark (told_id bigint, told_ts timestamptz,
              constraint remark_told foreign key (told_id, told_ts) references app.told (id, ts))`;
  await sql`alter table app.remark owner to app_owner`;
  await sql.unsafe(`insert into app.remark select id, ts from ${third} limit 1`);
  await sql`update pg_class set reltuples = -1 where relname like 'told_p%'`;
  const config = archiver().config([
    { schema: 'app', table: 'told', drop: true, graceDays: 0 },
    { schema: 'app', table: 'gone' },
  ]);
  const lines: string[] = [];
  presentRun(await archiver().run(config, { dryRun: true }), { 'dry-run': true }, (line) => lines.push(line));

  const text = lines.join('\n');
  expect(lines[0]).toBe('a run would archive 2 partitions; nothing was changed');
  expect(text).not.toMatch(/-1 rows/);
  expect(text.match(/never analyzed, \d+ bytes, 1 segment\b/g)).toHaveLength(2);
  expect(text).toMatch(
    new RegExp(
      `${third} .*: stays attached, since 1 row of app\\.remark refers to it by foreign key remark_told`,
    ),
  );
  expect(text.match(/behind a fence/g)).toHaveLength(1);
  expect(text).toMatch(/app\.gone: PreflightFailed, app\.gone: there is no such table/);
});
