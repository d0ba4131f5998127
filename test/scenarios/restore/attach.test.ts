/** What an attach leaves where it is refused, what happens while the server is at one, and what is refused at once. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { restoreDatabase } from '../../../adapters/postgres/restore/database.ts';
import { attach } from '../../../core/restore/publish.ts';
import { silentLog } from '../../../core/ports.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { giveTo } from '../../support/kinds.ts';
import { createParent } from '../../support/partman.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const archiver = useArchiver();
const REFERENCED = ['a', 'b', 'c', 'd'];
let manifestKey = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, {
    months: 3,
    rowsPerMonth: 20,
    columns: REFERENCED.map((name) => `${name} integer`).join(', '),
    values: REFERENCED.map(() => 'null::integer').join(', '),
  });
  await database.sql.unsafe(`set role app_owner;
    ${REFERENCED.map((name) => `create table app.${name} (id integer primary key); alter table app.event add foreign key (${name}) references app.${name};`).join('\n')}
    reset role`);
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
});

/** Makes a parent without retention that has an index that the archive lacks. */
async function parentOf(name: string, more = ''): Promise<{ schema: string; table: string }> {
  await archiver().database.sql.unsafe(`set role app_owner;
    create table app.${name} (id bigint not null, ts timestamptz not null, ${REFERENCED.map((column) => `${column} integer`).join(', ')}, unique (ts, id))
      partition by range (ts);
    create index on app.${name} (a);
    ${more}
    reset role`);
  return { schema: 'app', table: name };
}

const restored = async (table: string): Promise<number> =>
  (await archiver().operations().restore({ manifestKey, table })).partitionId;

/** Constraints and indexes of a table. */
const madeOn = async (table: string): Promise<string[]> =>
  (
    await archiver().database.sql<{ name: string }[]>`
      select conname as name from pg_constraint where conrelid = ${`app.${table}`}::regclass and contype in ('c', 'f')
      union all select indexrelid::regclass::text from pg_index where indrelid = ${`app.${table}`}::regclass order by 1`
  ).map(({ name }) => name);

describe('an attach that is refused leaves the table as it was', () => {
  // Seen to fail where attach_problems() was asked last: the check of the bounds and two indexes stayed.
  test('where it could be known before', async () => {
    const { operations } = archiver();
    await restored('too_old');
    const before = await madeOn('too_old');
    const attached = operations().restore({ manifestKey, table: 'too_old', attach: 'parent' });
    expect(await failureOf(attached)).toMatchObject({ code: 'AttachRefused' });
    expect(await madeOn('too_old')).toEqual(before);
  });

  // Seen to fail without undo_attach(): the check of the bounds and two indexes stayed.
  test('where only PostgreSQL finds the reason', async () => {
    const { database, operations } = archiver();
    const parent = await parentOf(
      'strict',
      'create table app.gone (id bigint primary key); alter table app.strict add foreign key (id) references app.gone;',
    );
    await restored('lonely');
    const before = await madeOn('lonely');
    const attached = operations().restore({ manifestKey, table: 'lonely', attach: parent });
    expect(await failureOf(attached)).toMatchObject({
      code: 'AttachRefused',
      message: expect.stringMatching(/violates foreign key/),
    });
    expect(await madeOn('lonely')).toEqual(before);
    await database.sql`insert into app.gone select id from app.lonely`;
    expect(await operations().restore({ manifestKey, table: 'lonely', attach: parent })).toMatchObject({
      attachedTo: 'app.strict',
    });
    expect(await madeOn('lonely')).toHaveLength(before.length + 3);
  });

  // Seen to fail where check_attach() was called outside of what is undone: the bounds, two indexes and a key stayed.
  test('where an earlier call was interrupted, and its range is taken since', async () => {
    const { database, operations } = archiver();
    const parent = await parentOf(
      'taken',
      'create table app.target (id bigint primary key); alter table app.taken add foreign key (id) references app.target;',
    );
    const partitionId = await restored('late');
    const before = await madeOn('late');
    for (const call of [
      'bound_restored(%)',
      `index_restored(%, 'app', 'taken')`,
      `reference_restored(%, 'app', 'taken')`,
    ])
      await database.sql.unsafe(`select partition_archiver.${call.replace('%', String(partitionId))}`);
    expect(await madeOn('late')).toHaveLength(before.length + 4);
    await database.sql.unsafe(
      `create table app.in_the_way partition of app.taken for values from ('2000-01-01') to ('2100-01-01')`,
    );
    const attached = operations().restore({ manifestKey, table: 'late', attach: parent });
    expect((await failureOf(attached)).code).toBe('AttachRefused');
    expect(await madeOn('late')).toEqual(before);
  });
});

// Seen to fail without hold_definition(): the index and the key of the owner were dropped with those of the attach.
test.each([
  ['index_restored', 'create index on app.% (d)'],
  ['reference_restored', 'alter table app.% add foreign key (b) references app.c'],
])('what the owner makes while %s is at work stays when the attach is undone', async (call, addition) => {
  const { database, open } = archiver();
  const { sql } = database;
  const [table, parent] = [`beside_${call}`, `above_${call}`];
  await parentOf(parent, `alter table app.${parent} add foreign key (c) references app.d;`);
  const partitionId = await restored(table);
  const before = await madeOn(table);
  const connection = open('archiver_restore');
  // Before its first index or key, the call waits for a second.
  await sql.unsafe(`
    create function public.pause() returns event_trigger language plpgsql as
      $$ begin if session_user = 'archiver_restore' then perform pg_sleep(1); end if; end $$;
    create event trigger pause on ddl_command_start when tag in ('CREATE INDEX', 'ALTER TABLE') execute function public.pause()`);
  try {
    const calling = connection.unsafe(
      `select partition_archiver.${call}(${String(partitionId)}, 'app', '${parent}')`,
    );
    void calling.execute();
    const isPaused = async (): Promise<boolean> =>
      (await sql`select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
        .length > 0;
    for (const until = Date.now() + 20_000; !(await isPaused()) && Date.now() < until;);
    expect(await isPaused()).toBe(true);
    await sql.unsafe(addition.replace('%', table));
    await calling;
  } finally {
    await connection.end();
    await sql.unsafe('drop event trigger pause; drop function public.pause()');
  }
  const made = await madeOn(table);
  expect(made.length).toBeGreaterThan(before.length + 1);
  await sql`select partition_archiver.undo_attach(${partitionId}::bigint)`;
  expect(await madeOn(table)).toHaveLength(before.length + 1);
});

// Seen to fail with the table's own comment written again: what its owner had written was gone.
test('a comment that the owner writes while a call waits for the definition stays', async () => {
  const { sql } = archiver().database;
  await sql.unsafe(
    `create table public.commented (id integer); comment on table public.commented is 'before'`,
  );
  let holding: Promise<unknown> = Promise.resolve();
  await sql.begin(async (tx) => {
    await tx`comment on table public.commented is 'later'`;
    holding = sql`select partition_archiver.hold_definition('public.commented'::regclass)`.execute();
    await untilSomebodyWaits(sql);
  });
  await holding;
  expect(await sql`select obj_description('public.commented'::regclass, 'pg_class') as comment`).toEqual([
    { comment: 'later' },
  ]);
});

// Seen to fail without reference_restored(): each key was validated, with its referenced table locked against writers.
test('no row of the restored table is read while the tables that its parent references are locked', async () => {
  const { database, operations } = archiver();
  const parent = await parentOf(
    'referring',
    `create table app.kept (id bigint primary key); alter table app.referring add foreign key (id) references app.kept;
     alter table app.referring add foreign key (b) references app.b;`,
  );
  const { partitionId } = await operations().restore({ manifestKey, table: 'refers', foreignKeys: false });
  await database.sql`insert into app.kept select id from app.refers`;
  const validated: string[] = [];
  const connection = asAdministrator(database.name, {}, (notice) =>
    validated.push(...(/(validating foreign key|verifying table).*/.exec(notice)?.slice(0, 1) ?? [])),
  );
  try {
    await connection`set client_min_messages = debug1`;
    const call = (name: string, more = `, 'app', 'referring'`) =>
      connection.unsafe(`select partition_archiver.${name}(${String(partitionId)}${more})`);
    await call('bound_restored', '');
    await call('index_restored');
    await call('reference_restored');
    expect(validated).toEqual([expect.stringMatching(/verifying table "refers"/)]);
    await call('validate_references', '');
    expect(validated).toHaveLength(3);
    await call('attach_restored');
    expect(validated).toHaveLength(3);
  } finally {
    await connection.end();
  }
  expect(
    await database.sql`select from pg_constraint where conrelid = 'app.refers'::regclass and contype = 'f' and conparentid <> 0`,
  ).toHaveLength(2);
  expect(
    await operations().restore({ manifestKey, table: 'refers', foreignKeys: false, attach: parent }),
  ).toMatchObject({ attachedTo: 'app.referring' });
});

// Seen to fail without pg_try_advisory_xact_lock() in claim_restored(): it waited for the other session without a limit.
test('while the server makes an index for a call that is gone, the next one waits without a session, and then attaches', async () => {
  const { open } = archiver();
  const parent = await parentOf('slow');
  const partitionId = await restored('large');
  const database = restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: 60_000 });
  const next = (waits = true) =>
    attach(
      partitionId,
      { attach: parent, acceptIncomplete: false, waits },
      { database, clock: hurriedClock, log: silentLog },
    );
  const connection = open('archiver_restore');
  try {
    await connection.begin(async (tx) => {
      await tx`select partition_archiver.index_restored(${partitionId}::bigint, 'app', 'slow')`;
      expect(await next()).toEqual({ next: 'wait', waitSeconds: 120 });
      // A state machine that was deployed before takes any result for the end. Seen to fail without `waits` in attach().
      expect((await failureOf(next(false))).code).toBe('SegmentBusy');
    });
  } finally {
    await connection.end();
  }
  expect(await next()).toMatchObject({ next: 'done', restored: { attachedTo: 'app.slow' } });
});

// Seen to fail (57014, after 20 s) where the ledger row was claimed before lock_timeout was set.
test.each([
  ['validate_restored', `, 'event_a_fkey'`],
  ['check_attach', `, 'app', 'event'`],
  ['bound_restored', ''],
  ['index_restored', `, 'app', 'event'`],
  ['reference_restored', `, 'app', 'event'`],
  ['validate_references', ''],
  ['attach_restored', `, 'app', 'event'`],
  ['undo_attach', ''],
])('%s waits for the ledger row no longer than for any lock', async (name, more) => {
  const { database, open } = archiver();
  const partitionId = await restored(name);
  const connection = open('archiver_restore');
  try {
    await database.sql.begin(async (tx) => {
      await tx`select from partition_archiver.partition where id = ${partitionId} for update`;
      await expect(
        connection.unsafe(
          `select set_config('statement_timeout', '20s', true); select partition_archiver.${name}(${String(partitionId)}${more})`,
        ),
      ).rejects.toMatchObject({ code: '55P03' });
    });
  } finally {
    await connection.end();
  }
});

describe('a partition that is narrower than an interval of its set', () => {
  const problems = async (set: string, control: string, bounds: string): Promise<string> => {
    const [row] = await archiver().database.sql.unsafe<[{ problems: string[] }]>(`
      select to_jsonb(partition_archiver.attach_problems('app', '${set}', '${control}', lower, upper,
               (select jsonb_agg(facts) from partition_archiver.ddl_columns('app.${set}'::regclass, 'none')), 'UTC')) as problems
        from (select ${bounds}) b (lower, upper)`);
    return row.problems.join('; ');
  };

  // Seen to fail without the upper bound in attach_problems(): attached, and detached again by the next run.
  test('is refused where it is past the retention by its upper bound', async () => {
    const day = `(date_trunc('day', now()) - interval '2 months 10 days' + interval '%')::text`;
    expect(await problems('event', 'ts', `${day.replace('%', '0')}, ${day.replace('%', '1 day')}`)).toMatch(
      /retention of app.event is '2 months'/,
    );
    expect(
      await problems('event', 'ts', `${day.replace('%', '0')}, ${day.replace('%', '1 month')}`),
    ).not.toMatch(/retention/);
  });

  test('is refused by its ids in the same way', async () => {
    const { sql } = archiver().database;
    await sql`create table app.numbered (id bigint not null) partition by range (id)`;
    await createParent(sql, {
      parent: 'app.numbered',
      control: 'id',
      interval: '100',
      premake: 9,
      start: '0',
    });
    await sql.begin((tx) => giveTo(tx, 'app.numbered', 'app_owner'));
    await sql`insert into app.numbered values (900)`;
    await sql`update partman.part_config set retention = '500', retention_keep_table = true where parent_table = 'app.numbered'`;
    expect(await problems('numbered', 'id', `'-1', '0'`)).toMatch(/retention/);
    expect(await problems('numbered', 'id', `'350', '360'`)).toMatch(/retention/);
    expect(await problems('numbered', 'id', `'350', '450'`)).not.toMatch(/retention/);
  });
});

// Seen to fail (250ms to the end) without set_lock_timeout_until() in publish_restore(): each key waited for a quarter of deadlock_timeout.
test('all foreign keys of a published table share one deadline for their locks', async () => {
  const { database, operations } = archiver();
  await database.sql.unsafe(`
    create table public.seen (id serial, lock_timeout text);
    grant insert on public.seen to public; grant usage on sequence public.seen_id_seq to public;
    create function public.slow_key() returns event_trigger language plpgsql as $$ begin
      if current_query() like '%publish_restore%' then
        perform pg_sleep(0.3);
        insert into public.seen (lock_timeout) values (current_setting('lock_timeout'));
      end if;
    end $$;
    create event trigger slow_key on ddl_command_start when tag in ('ALTER TABLE') execute function public.slow_key()`);
  try {
    await operations().restore({ manifestKey, table: 'with_keys' });
    const seen = await database.sql<
      { lock_timeout: string }[]
    >`select lock_timeout from public.seen order by id`;
    expect(seen.at(-1)).toEqual({ lock_timeout: '1ms' });
  } finally {
    await database.sql.unsafe(
      'drop event trigger slow_key; drop function public.slow_key(); drop table public.seen',
    );
  }
});
