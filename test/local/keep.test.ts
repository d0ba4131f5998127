/** What `npm start -- --keep` leaves for the next step: a file to source, after which the local command works at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { environmentFile, makeRestoreSchema } from '../../local/demo/keep.ts';
import { ROLE_PASSWORD, useArchiver } from '../support/archiver.ts';
import { runCommand, type CommandResult } from '../support/command.ts';
import { stack } from '../support/database.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { withRoleRetries } from '../support/roles.ts';

const archiver = useArchiver();
const directory = mkdtempSync(join(tmpdir(), "partition-archiver-keep's-"));
const file = join(directory, 'environment.sh');

beforeAll(async () => {
  const { database, bucket, run, config } = archiver();
  await createPartitionSet(database.sql, { months: 3, rowsPerMonth: 20 });
  await withRoleRetries(() => makeRestoreSchema(database.sql, 'scratch', 'app_owner'));
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  const roles = ['archiver_maintain', 'archiver_read', 'archiver_drop', 'archiver_restore'];
  const passwords = Object.fromEntries(roles.map((role) => [role, ROLE_PASSWORD]));
  writeFileSync(file, environmentFile(stack(), { database: database.name, bucket, passwords }));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const sourced = (...command: string[]): Promise<CommandResult> =>
  runCommand('sh', ['-c', '. "$0" && "$@"', file, ...command]);
const archive = (...args: string[]): Promise<CommandResult> =>
  sourced(process.execPath, 'bin/archive.ts', ...args);

// The passwords of the roles are in the file that is sourced.
test('once it is sourced, status, find, restore and psql work', async () => {
  expect(await archive('status')).toMatchObject({ code: 0, stdout: expect.stringContaining('dropped') });
  expect(await archive('find', '--set', 'app.event')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('/app/event/'),
  });
  // Seen to fail without makeRestoreSchema: there is no schema scratch.
  expect(await archive('restore', '--set', 'app.event', '--schema', 'scratch')).toMatchObject({ code: 0 });
  const { stdout } = await sourced(
    'psql',
    '-XAtc',
    "select tablename like 'event_p%' from pg_tables where schemaname = 'scratch'",
  );
  expect(stdout).toBe('t\n');
});
