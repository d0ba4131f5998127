import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runCommand } from '../support/command.ts';
import { useDatabase } from '../support/database.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'uninstall.md'), 'utf8');
const statements = /```sql\n(begin;.*?commit;\n)```/s.exec(page)?.[1] ?? '';
const database = useDatabase({ template: 'archiver' });

const OBJECTS = `
  select nspname::text as name from pg_namespace where nspname like 'partition\\_archiver%'
  union all
  select evtname from pg_event_trigger where evtname like 'partition\\_archiver%'`;

// Seen to fail with a page that leaves out one of the schemas, and with one whose last schemas are dropped by cascade.
test('the statements of the page keep tables in quarantine, and leave nothing else', async () => {
  const { sql, url } = database();
  const psql = (...args: string[]): ReturnType<typeof runCommand> =>
    runCommand('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, ...args]);
  expect(await psql('-f', 'db/guard.sql')).toMatchObject({ code: 0 });
  await sql`create table partition_archiver_quarantine.kept (id integer)`;
  expect(await psql('-c', statements)).toMatchObject({ code: 1 });
  expect(await sql`select to_regclass('partition_archiver_quarantine.kept') is not null as kept`).toEqual([
    { kept: true },
  ]);
  await sql`alter table partition_archiver_quarantine.kept set schema public`;
  expect(await psql('-c', statements)).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining('ERROR'),
  });
  expect([...(await sql.unsafe(OBJECTS))]).toEqual([]);
});
