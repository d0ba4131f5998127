/** Settings and memberships that newer servers brought, set as somebody else might have. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { stack } from '../support/database.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { testSince } from '../support/test-if.ts';
import { withRoleRetries } from '../support/roles.ts';

const archiver = useArchiver();

// Seen to fail without: the settings of the login roles in db/schema/roles.sql; transaction_timeout is there since 17.
test('time limits of the database do not reach the archiver', async () => {
  const { database, run, config } = archiver();
  const { sql, name } = database;
  await createPartitionSet(sql, { schema: 'limited' });
  const limits = await sql<{ name: string }[]>`
    select name from pg_settings where name in
      ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;
  for (const limit of limits) {
    // Not so for this test itself, and the pooler's lookups.
    for (const role of [stack().postgres.superuser.user, stack().pooler.admin.user]) {
      await sql.unsafe(`alter role ${role} in database "${name}" set ${limit.name} = 0`);
    }
    await sql.unsafe(`alter database "${name}" set ${limit.name} = '1ms'`);
  }

  const report = await run(config([{ schema: 'limited', table: 'event', drop: true, graceDays: 0 }]));

  expect(report).toMatchObject({ archived: 2, dropped: 2, failed: 0 });
  for (const limit of limits) await sql.unsafe(`alter database "${name}" reset ${limit.name}`);
});

// Membership with options came with 16.
// Seen to fail without: the branch for 'set' in db/archive/preflight.sql, and with 'member' in place of 'usage' before it.
testSince(16).each([
  ['inherit false', /is not a member of its owner/],
  ['set false', /may not give tables to their owner/],
])(
  'since 16 a member may lack rights, and preflight says how to give them: with %s',
  async (option, problem) => {
    const { database, run, config } = archiver();
    const { sql } = database;
    const [server] = await sql<{ major: number }[]>`
    select current_setting('server_version_num')::integer / 10000 as major`;
    if ((server?.major ?? 0) < 16) return;
    const role = option.replace(' ', '_');
    await createPartitionSet(sql, { schema: role, owner: `owner_${role}` });
    await withRoleRetries(() => sql.unsafe(`grant owner_${role} to archiver_owner with ${option}`));
    const settings = config([{ schema: role, table: 'event', drop: true, graceDays: 0 }]);

    const refused = await run(settings).catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(Error);
    expect((refused as Error).message).toMatch(problem);
    const remedy = /grant \S+ to archiver_owner with inherit true, set true/.exec((refused as Error).message);
    await sql.unsafe(remedy?.[0] ?? 'no remedy');

    expect(await run(settings)).toMatchObject({ archived: 2, dropped: 2, failed: 0 });
  },
);
