import { beforeAll, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { listKeys } from '../../support/archives.ts';
import { createKind } from '../../support/kinds.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
/** Of its own, since roles belong to the whole server and other files need theirs. */
const OWNER = 'misled_owner';
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0 };

beforeAll(async () => {
  await createPartitionSet(archiver().database.sql, { owner: OWNER, months: 3, rowsPerMonth: 10 });
});

/** A thing that is wrong, the line of the preflight about it, and how it was brought about and undone. */
interface Mistake {
  readonly name: string;
  readonly make: string;
  readonly undo?: string;
  readonly line: string | RegExp;
}

const MISTAKES: readonly Mistake[] = [
  {
    name: 'no retention',
    make: `update partman.part_config set retention = null`,
    undo: `update partman.part_config set retention = '2 months'`,
    line: `app.event: has no retention, so nothing is ever detached. update partman.part_config set retention = '12 months', retention_keep_table = true where parent_table = 'app.event';`,
  },
  {
    name: 'pg_partman would drop instead of detaching (hazard 3)',
    make: `update partman.part_config set retention_keep_table = false`,
    line: `app.event: has retention_keep_table = false: pg_partman would drop partitions instead of detaching them. update partman.part_config set retention_keep_table = true where parent_table = 'app.event';`,
  },
  {
    name: 'not managed by pg_partman',
    make: `update partman.part_config set parent_table = 'app.other'`,
    undo: `update partman.part_config set parent_table = 'app.event'`,
    line: /^app\.event: is not a range partition set of pg_partman with one control column\. Have pg_partman manage it/,
  },
  {
    name: 'the owner of the schema could drop tables in quarantine',
    make: `alter schema partition_archiver_quarantine owner to misled_owner`,
    undo: `alter schema partition_archiver_quarantine owner to archiver_owner`,
    line: `schema partition_archiver_quarantine: belongs to misled_owner, who may drop what is in it. alter schema partition_archiver_quarantine owner to archiver_owner;`,
  },
  {
    name: 'archiver_owner is no member of the owner',
    make: `revoke misled_owner from archiver_owner`,
    line: 'app.event: role archiver_owner is not a member of its owner misled_owner. grant misled_owner to archiver_owner;',
  },
  {
    name: 'archiver_maintain is no member of the owner',
    make: `revoke misled_owner from archiver_maintain`,
    line: 'app.event: role archiver_maintain is not a member of its owner misled_owner. grant misled_owner to archiver_maintain;',
  },
  {
    name: 'the owner may not create tables in its schema',
    make: `alter schema app owner to postgres; grant usage on schema app to misled_owner`,
    undo: `alter schema app owner to misled_owner`,
    line: /^app\.event: its owner misled_owner may not create tables in schema app.*\. grant create on schema app to misled_owner;/,
  },
  {
    name: 'archiver_maintain may not run pg_partman',
    make: `revoke usage on schema partman from archiver_maintain`,
    line: /^role archiver_maintain: may not use pg_partman\. select partition_archiver\.grant_extensions\(\);/,
  },
  {
    name: 'archiver_maintain may not change the configuration of pg_partman',
    make: `revoke update on partman.part_config from archiver_maintain`,
    line: /^role archiver_maintain: may not make partitions without detaching others.*grant update \(retention/,
  },
  {
    name: 'archiver_maintain may not call run_maintenance',
    make: `revoke execute on all routines in schema partman from archiver_maintain, public`,
    line: /^role archiver_maintain: may not use pg_partman\. /,
  },
  {
    name: 'archiver_owner may not read the configuration of pg_partman',
    make: `revoke select on partman.part_config from archiver_owner`,
    line: /^role archiver_owner: may not read the configuration of pg_partman\. grant usage on schema partman to archiver_owner; grant select on table partman\.part_config to archiver_owner;/,
  },
  {
    name: 'archiver_owner may not look into the schema of pg_partman',
    make: `revoke usage on schema partman from archiver_owner`,
    line: /^role archiver_owner: may not read the configuration of pg_partman\. /,
  },
  {
    name: 'archiver_read may not use aws_s3',
    make: `revoke usage on schema aws_s3 from archiver_read`,
    line: /^role archiver_read: may not export with aws_s3\. select partition_archiver\.grant_extensions\(\);/,
  },
  {
    name: 'archiver_read may not call aws_s3',
    make: `revoke execute on all functions in schema aws_s3 from archiver_read, public`,
    line: /^role archiver_read: may not export with aws_s3\. /,
  },
];

/** The lines of a preflight that finds something. */
async function preflight(sets: readonly Record<string, unknown>[] = [SET]): Promise<string[]> {
  const { steps, config } = archiver();
  const failure = await failureOf(steps(config(sets)).preflight({}));
  expect(failure).toMatchObject({ code: 'PreflightFailed', retryable: false });
  return failure.message.split('\n');
}

const CLEAN = `select partition_archiver.register_owner('misled_owner', '{app}')`;

async function whileWrong<T>(sql: postgres.Sql, { make, undo }: Mistake, work: () => Promise<T>): Promise<T> {
  await sql.unsafe(make);
  try {
    return await work();
  } finally {
    if (undo !== undefined) await sql.unsafe(undo);
    await sql.unsafe(`update partman.part_config set retention_keep_table = true; ${CLEAN}`);
  }
}

test('each thing that is wrong in the database is said with the statement that fixes it, before anything changes', async () => {
  const { database, s3, bucket, run, config } = archiver();
  const { sql } = database;
  for (const mistake of MISTAKES) {
    const lines = await whileWrong(sql, mistake, preflight);
    expect([mistake.name, lines]).toEqual([
      mistake.name,
      [typeof mistake.line === 'string' ? mistake.line : expect.stringMatching(mistake.line)],
    ]);
  }
  expect(await sql`select from partition_archiver.partition`).toHaveLength(0);
  expect(await listKeys(s3, bucket)).toEqual([]);

  // The remedies are enough: what is said fixes what was broken.
  for (const mistake of MISTAKES.filter(({ line }) => /grant|update/.test(String(line)))) {
    await sql.unsafe(mistake.make);
    const lines = await preflight();
    for (const line of lines) await sql.unsafe(line.slice(line.search(/\. (grant|update|select) /) + 2));
    await expect(
      archiver()
        .steps(config([SET]))
        .preflight({}),
    ).resolves.toMatchObject({ mode: 'archive' });
    if (mistake.undo !== undefined) await sql.unsafe(mistake.undo);
    await sql.unsafe(CLEAN);
  }
  expect(await run(config([SET]), { dryRun: true })).toMatchObject({ failed: 0 });
});

// Seen to fail with to_regclass() in rights_to_restore() of db/archive/rights-to-restore.sql: "permission denied for schema app".
test('a set whose owner was never registered is listed with its grants, and so is what else is wrong', async () => {
  const { database, steps, config } = archiver();
  const { sql } = database;
  const roles = 'archiver_owner, archiver_trial, archiver_maintain, archiver_restore';
  await sql.unsafe(
    `revoke misled_owner from archiver_owner, archiver_maintain; revoke all on schema app from ${roles}`,
  );
  const lines = await preflight([SET, { schema: 'app', table: 'evnet' }]);
  expect(lines.map((line) => line.replace(/ in database .*/, ''))).toEqual([
    'app.event: role archiver_owner is not a member of its owner misled_owner. grant misled_owner to archiver_owner;',
    'app.event: role archiver_owner may not use schema app. grant usage on schema app to archiver_owner;',
    'app.event: role archiver_maintain is not a member of its owner misled_owner. grant misled_owner to archiver_maintain;',
    'app.event: role archiver_maintain may not use schema app. grant usage on schema app to archiver_maintain;',
    'app.evnet: there is no such table',
    'app.event: archiver_trial and archiver_restore may not use schema app, which restoring a partition needs. grant usage on schema app to archiver_trial, archiver_restore;',
  ]);
  await sql.unsafe(CLEAN);
  await expect(steps(config([SET])).preflight({})).resolves.toMatchObject({ mode: 'archive' });
});

test('sets that are not there, are no sets, or are of a kind that is not supported', async () => {
  const { sql } = archiver().database;
  await sql`create table app.plain (id bigint, ts timestamptz)`;
  await sql`create table app.listed (id bigint) partition by list (id)`;
  await sql`create view app.looked as select 1 as one`;
  const [one, two, three, four] = await preflight([
    { schema: 'app', table: 'evnet' },
    { schema: 'app', table: 'plain' },
    { schema: 'app', table: 'listed' },
    { schema: 'app', table: 'looked' },
  ]);
  expect(one).toMatch(
    /^app\.evnet: there is no such table in database .*\. Correct the name in the configuration\.$/,
  );
  expect(two).toMatch(/^app\.plain: is not a range partition set of pg_partman/);
  expect(three).toMatch(/^app\.listed: is not a range partition set of pg_partman/);
  expect(four).toMatch(/^app\.looked: is not a range partition set of pg_partman/);
});

test('the time zone that a set was not made in is refused, for time and for epoch columns (hazard 10)', async () => {
  const { sql } = archiver().database;
  const made = { schema: 'zones', interval: 'monthly', retention: '2 months', timeZone: 'America/New_York' };
  const start = `date_trunc('month', now()) - interval '3 months'`;
  await createKind(sql, {
    ...made,
    table: 'stamped',
    controlType: 'timestamptz',
    start,
    values: 'select now()',
  });
  const values = 'select extract(epoch from now())::bigint';
  await createKind(sql, { ...made, table: 'epoch', controlType: 'bigint', epoch: 'seconds', start, values });
  const sets = (timeZone: string): Record<string, unknown>[] =>
    ['stamped', 'epoch'].map((table) => ({ schema: 'zones', table, timeZone }));

  expect(await preflight(sets('UTC'))).toEqual(
    ['stamped', 'epoch'].map(
      (table) =>
        `zones.${table}: its partitions do not begin at midnight in time zone UTC. Set timeZone of the partition set to the one it was made with.`,
    ),
  );
  const { steps, config } = archiver();
  await expect(steps(config(sets('America/New_York'))).preflight({})).resolves.toMatchObject({
    mode: 'archive',
  });
});

// Seen to fail without: the look at FORCE ROW LEVEL SECURITY in db/archive/preflight.sql.
test('partitions of an id set whose row security holds for their owner are named, with the statement that lets their ids be seen', async () => {
  const { database, run, config } = archiver();
  const { sql } = database;
  await createKind(sql, {
    schema: 'forced',
    table: 'by_id',
    controlType: 'bigint',
    interval: '1000',
    premake: 6,
    start: `0`,
    retention: '2000',
    values: `select at from generate_series(1, 5500, 50) at`,
  });
  const child = 'forced.by_id_p3000';
  await sql.unsafe(`alter table ${child} enable row level security, force row level security`);
  const sets = [{ schema: 'forced', table: 'by_id' }];
  const [line, ...others] = await preflight(sets);
  expect([line, others]).toEqual([
    `forced.by_id: partitions of it have FORCE ROW LEVEL SECURITY (1), which hides the highest id from pg_partman and the archiver. alter table ${child} no force row level security;`,
    [],
  ]);
  await sql.unsafe(line!.slice(line!.indexOf('. alter') + 2));
  expect(await run(config(sets))).toMatchObject({ archived: 3, failed: 0 });
});

test('many things wrong at once are said at once, the bucket among them', async () => {
  const { database, s3, steps, config } = archiver();
  const { sql } = database;
  await sql`update partman.part_config set retention = null, retention_keep_table = false where parent_table = 'app.event'`;
  await sql`revoke usage on schema aws_s3 from archiver_read`;
  const settings = config([SET, { schema: 'app', table: 'evnet' }]);
  const failure = await failureOf(steps(settings, { s3, bucket: 'no-such-bucket' }).preflight({}));
  expect(failure.message.split('\n')).toEqual([
    expect.stringMatching(/^role archiver_read: /),
    expect.stringMatching(/^app\.event: has no retention/),
    expect.stringMatching(/^app\.event: has retention_keep_table = false/),
    expect.stringMatching(/^app\.evnet: there is no such table/),
    expect.stringMatching(
      /^bucket no-such-bucket: does not exist\. Correct ARCHIVE_BUCKET, or deploy the stack\./,
    ),
  ]);
  expect(failure.hint).toBe('Fix what is listed, then start again.');
});
