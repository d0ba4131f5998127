/** A newcomer with one plain table, and nothing installed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { runCommand, type CommandResult } from '../../support/command.ts';
import { stack, useDatabase } from '../../support/database.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'first-steps-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Prepares by the local command; roles belong to the whole server, so that other test files may be at them just now. */
async function prepare(partitionSets: readonly object[]): Promise<CommandResult> {
  const file = join(folder, 'sets.json');
  writeFileSync(file, JSON.stringify({ partitionSets }));
  const { host, port, superuser } = stack().postgres;
  for (let attempt = 1; ; attempt += 1) {
    const result = await runCommand(process.execPath, ['bin/archive.ts', 'prepare', '--config', file], {
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database().name,
      PGSSLMODE: 'disable',
      PGUSER: superuser.user,
      ARCHIVER_ADMIN_PASSWORD: superuser.password,
    });
    if (!/tuple concurrently|SQLSTATE 23505|SQLSTATE 42710/.test(result.stderr) || attempt === 20)
      return result;
  }
}

// Seen to fail on a9b8896: an empty list is refused; with the plain table it says "Nothing was changed", and create_parent.
test('prepare installs without a partition set and says what comes next; a plain table is to be partitioned', async () => {
  const { sql } = database();
  await sql`create schema shop`;
  await sql`create table shop.log (id bigint primary key, at timestamptz not null)`;
  const alone = await prepare([]);
  expect(alone).toMatchObject({ code: 0, stderr: '' });
  expect(alone.stdout).toMatch(/\nready\nno partition set is configured yet: inspect <schema\.table> /);
  expect(await sql`select to_regclass('partition_archiver.partition') is not null as there`).toEqual([
    { there: true },
  ]);

  const plain = await prepare([{ schema: 'shop', table: 'log' }]);
  expect(plain.code).toBe(3);
  expect(plain.stderr).toContain(
    'shop.log: is not a range partition set of pg_partman, but a plain table. Partition it (partition-table shop.log; inspect shop.log proposes how)',
  );
  expect(plain.stderr).not.toMatch(/nothing was changed/i);
});
