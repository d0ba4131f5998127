import { expect, test } from '@jest/globals';
import { silentLog } from '../../../core/ports.ts';
import { prepare } from '../../../core/setup/prepare.ts';
import type { DatabaseFacts, PrepareDatabase } from '../../../core/setup/prepare-database.ts';

/** What prepare says of a server that has and offers these versions, before it changes anything. */
async function problemsOf(installed: string | null, available: string | null): Promise<readonly string[]> {
  const facts: DatabaseFacts = {
    database: 'shop',
    administrator: 'postgres',
    serverVersion: '14.3',
    serverVersionNumber: 140_003,
    // An obstacle of its own, so that prepare ends here.
    mayCreateRoles: false,
    isSuperuser: false,
    extensions: [
      {
        name: 'pg_partman',
        installed: installed === null ? null : { version: installed, schema: 'partman' },
        available,
      },
    ],
    owners: [],
    hasGuard: false,
    eventTriggers: [],
    publications: [],
  };
  const database = {
    facts: () => Promise.resolve(facts),
    advice: () => Promise.resolve([]),
  } as Partial<PrepareDatabase> as PrepareDatabase;
  const { problems } = await prepare(database, {
    partitionSets: [],
    secretOf: () => Promise.resolve(undefined),
    guard: true,
    log: silentLog,
  });
  return problems.slice(1).map(({ problem, remedy }) => `${problem}: ${remedy}`);
}

// Seen to fail with 4.6 taken for new enough, and with the installed version alone: 4.6 was installed.
test.each([
  ['4.6.2', '4.7.3', 'has version 4.6.2, older than 4.7: alter extension pg_partman update;'],
  ['4.6.2', '4.6.2', 'has version 4.6.2, older than 4.7: Move to an engine version'],
  [null, '4.6.0', 'has version 4.6.0, older than 4.7: Move to an engine version'],
  [null, null, 'is not available on this server: Move to an engine version'],
])('pg_partman %s where %s is offered', async (installed, available, problem) => {
  expect(await problemsOf(installed, available)).toEqual([expect.stringContaining(problem)]);
});

test.each(['4.7', '4.7.4', '4.10', '5.0.0', '10.1'])('pg_partman %s is new enough', async (version) => {
  expect(await problemsOf(version, version)).toEqual([]);
  expect(await problemsOf(null, version)).toEqual([]);
});
