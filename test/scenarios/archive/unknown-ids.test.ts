/** Numbers and names that somebody mistyped: nobody was faster, so nothing is to be tried again. */
import { expect, test } from '@jest/globals';
import { failureDatabase } from '../../../adapters/postgres/archive/record-failure.ts';
import { partitionTableDatabase } from '../../../adapters/postgres/partition-table/database.ts';
import { dropReplacedTable, rollBackPartitionTable } from '../../../core/partition-table/local.ts';
import { silentLog } from '../../../core/ports.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const NOBODY = 999_999;

// Seen to fail (StateConflict, whose hint sends one to look for who else changed it) without PA020 in claim(), without that of
// drop_evidence(), and without that of raise_wrong_state(); with "restore 999999 is unknown, not begun or proven".
test('a number that is not in the ledger is told to be none, by every verb, and nothing is changed', async () => {
  const { database, operations, steps, config } = archiver();
  await createPartitionSet(database.sql, { months: 2, rowsPerMonth: 2 });
  const set = steps(config([{ schema: 'app', table: 'event' }]));
  const request = await set.preflight({});
  const verbs: Record<string, () => Promise<unknown>> = {
    quarantine: () => set.quarantine(NOBODY, request),
    export: () => set.export(NOBODY, 0),
    verify: () => set.verify(NOBODY, 0),
    commit: () => set.commit(NOBODY, request),
    drop: () => set.drop(NOBODY),
    resume: () => operations().resume(NOBODY),
    release: () => operations().release(NOBODY),
    reverify: () => operations().reverify(NOBODY),
    'cancel-restore': () => operations().cancelRestore(NOBODY),
  };
  const found: Record<string, string> = {};
  for (const [verb, ask] of Object.entries(verbs)) {
    const { code, message, hint } = await failureOf(ask());
    found[verb] = code;
    expect(message).toMatch(new RegExp(`the ledger has no (partition|restore) ${String(NOBODY)}\\b`));
    expect(hint).toContain('npm run archive -- status');
  }
  expect(found).toEqual(Object.fromEntries(Object.keys(verbs).map((verb) => [verb, 'NotInLedger'])));
  expect(await database.sql`select from partition_archiver.event`).toEqual([]);

  // A failure of what is not there any more is no failure of the report.
  const reads = archiver().open('archiver_read');
  await failureDatabase(reads).block(NOBODY, 'SealBroken', 'look');
  await reads.end();
});

// Seen to fail without the look at the job in beginRollBack() and beginDropReplaced().
test('so is a table that no PartitionTable is at, while another one keeps its table', async () => {
  const open = () => asAdministrator(archiver().database.name);
  const connection = open();
  try {
    const ports = {
      database: partitionTableDatabase(connection, open),
      clock: hurriedClock,
      log: silentLog,
    };
    const nothing = { schema: 'app', table: 'nothing' };
    for (const work of [rollBackPartitionTable, dropReplacedTable]) {
      expect(await failureOf(work(nothing, ports))).toMatchObject({
        code: 'NotInLedger',
        message: expect.stringContaining('app.nothing'),
      });
    }
  } finally {
    await connection.end();
  }
});
