/** Several restores at the same time, whose indexes, sequences and statistics have one name. */
import { beforeAll, expect, test } from '@jest/globals';
import { restoreDatabase } from '../../../adapters/postgres/restore/database.ts';
import { PINS } from '../../../core/pins.ts';
import { build } from '../../../core/restore/import.ts';
import { silentLog } from '../../../core/ports.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { dump } from '../../db/ddl/support.ts';

const archiver = useArchiver();
const partition = { schema: 'app', name: '' };
let manifestKey = '';
let before = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 3, rowsPerMonth: 50 });
  const [oldest] = await database.sql<[{ name: string }]>`
    select relname as name from pg_inherits join pg_class on oid = inhrelid
     where inhparent = 'app.event'::regclass and relname ~ '_p2' order by 1 limit 1`;
  partition.name = oldest.name;
  await database.sql.unsafe(`
    set role app_owner;
    create sequence app."it's \\ ""one""";
    alter sequence app."it's \\ ""one""" owned by app.${oldest.name}.id;
    alter table app.${oldest.name} alter id set default nextval('app."it''s \\ ""one"""');
    create index "it's ""one"" too" on app.${oldest.name} (lower(payload));
    comment on index app."it's ""one"" too" is 'a comment';
    alter index app."it's ""one"" too" alter column 1 set statistics 7;
    alter table app.${oldest.name} cluster on "it's ""one"" too";
    create statistics app.of_both on id, ts from app.${oldest.name};
    comment on statistics app.of_both is 'another one';
    reset role`);
  const set = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  await run(set, { only: 'inventory' });
  await database.sql.unsafe(`alter table app.event detach partition app.${oldest.name}`);
  before = await dump(database, partition);
  await run(set);
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
});

class Killed extends Error {}

const number = async (): Promise<number> => {
  const [row] = await archiver().database.sql<[{ id: number }]>`
    select max(id)::integer as id from partition_archiver.restore where not drill`;
  return row.id;
};

const restoring = () =>
  restoreDatabase({ open: () => archiver().open('archiver_restore'), timeoutMs: 60_000 });

// Seen to fail without hide_restored_names(): the sequence (42P07), then each index (42P07), then the statistics (unmade).
test('a drill succeeds wherever a restore of the same archive was interrupted', async () => {
  const { database, operations } = archiver();
  let statements = 0;
  const log = {
    ...silentLog,
    info: (event: string) => {
      if (event === 'build' && ++statements % 3 === 0) throw new Killed();
    },
  };
  let drills = 0;
  for (;;) {
    const ended = await operations({ log })
      .restore({ manifestKey })
      .catch((error: unknown) => error);
    if (!(ended instanceof Killed)) {
      expect(ended).toMatchObject({ rows: 50, unmade: [], warnings: [] });
      break;
    }
    expect(await operations().drill({}, database.name)).toMatchObject({ rows: 50, unmade: [] });
    drills += 1;
  }
  expect(drills).toBeGreaterThan(2);
  expect(await dump(database, partition)).toBe(before);
});

// Seen to fail without the lock on the name in claim_restore_statement(): LockNotAvailable.
test('while the server builds an index of one, another one waits for it without a session, and both become whole', async () => {
  const { database, operations, open } = archiver();
  const stopped = {
    ...silentLog,
    info: (event: string) => {
      if (event === 'import') throw new Killed();
    },
  };
  for (const table of ['one', 'other']) {
    const killed = operations({ log: stopped }).restore({ manifestKey, table });
    await expect(killed).rejects.toBeInstanceOf(Killed);
  }
  const other = await number();
  const connection = open('archiver_restore');
  try {
    await connection.begin(async (tx) => {
      await tx`select set_config(name, value, true) from jsonb_each_text(${tx.json(PINS)}::jsonb) s (name, value)`;
      await tx`select partition_archiver.run_restore_statement(${other - 1}::bigint)`;
      await tx`select partition_archiver.run_restore_statement(${other - 1}::bigint)`;
      const waits = await build(other, { database: restoring(), clock: hurriedClock, log: silentLog });
      expect(waits).toMatchObject({ next: 'wait' });
    });
  } finally {
    await connection.end();
  }
  for (const table of ['one', 'other']) {
    expect(await operations().restore({ manifestKey, table })).toMatchObject({ rows: 50, unmade: [] });
  }
  const [row] = await database.sql<[{ indexes: number }]>`
    select count(*)::integer as indexes from pg_index where indrelid in ('app.one'::regclass, 'app.other'::regclass)`;
  expect(row.indexes).toBe(6);
});
