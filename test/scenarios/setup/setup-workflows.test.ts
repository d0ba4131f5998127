/** Setup by the console: the synthesised state machines with their bundles, from an empty database to an archive run. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import type { AdoptionReport } from '../../../core/ledger/adopt-report.ts';
import type { InspectionReport } from '../../../core/setup/inspect-report.ts';
import type { PartitionTableReport } from '../../../core/partition-table/report.ts';
import type { PreparationReport } from '../../../core/setup/prepare-report.ts';
import type { ExecutionOptions, ExecutionResult } from '../../../local/step-functions/run-execution.ts';
import { ROLE_PASSWORD } from '../../support/archiver.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { killingEachOnce } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { contents, makePlainTable } from '../../support/plain-table.ts';
import { makeBucket, makeS3Client } from '../../support/s3.ts';
import { putSecret, useStateMachine } from '../../support/state-machine.ts';

const database = useDatabase();
let s3: S3Client | undefined;
let bucket = '';
beforeAll(async () => {
  s3 = makeS3Client();
  bucket = await makeBucket(s3, 'setup');
});
afterAll(() => s3?.destroy());

const ADMIN_SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!setup-AbCdEf';
const deployed = useStateMachine(
  () => ({ database: database(), bucket }),
  [{ schema: 'app', table: 'event' }],
  { adminSecretArn: ADMIN_SECRET },
);
beforeAll(() => putSecret(ADMIN_SECRET, adminLogin()));

function adminLogin(): { username: string; password: string } {
  const { user, password } = stack().postgres.superuser;
  return { username: user, password };
}

const start = (
  workflow: string,
  input: object = {},
  options: Partial<ExecutionOptions> = {},
): Promise<ExecutionResult> => deployed().workflow(workflow).execute(input, options);

/** Roles belong to the whole server, and other test files are at them too. */
async function prepare(
  input: object = {},
  options: Partial<ExecutionOptions> = {},
): Promise<ExecutionResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await start('prepare-database', input, options);
    if (attempt === 20 || !/tuple concurrently|SQLSTATE (23505|42710)/.test(result.cause ?? ''))
      return result;
  }
}

const partition = async (input: object, options: Partial<ExecutionOptions> = {}): Promise<ExecutionResult> =>
  start('partition-table', input, options);

test('an administrator without rights is told every statement, and no password is logged', async () => {
  const { sql, name } = database();
  const user = `lowly_${name.slice(-8)}`;
  const password = 'lowly-but-secret';
  await sql.unsafe(`create role ${user} login password '${password}'`);
  await putSecret(ADMIN_SECRET, { username: user, password });
  const lines: string[] = [];
  try {
    const { status, error, cause } = await prepare({}, { onLog: (line) => lines.push(line) });
    expect([status, error]).toEqual(['FAILED', 'PreflightFailed']);
    expect(cause).toContain(`role ${user}: may not create roles`);
    expect(cause).toContain(`alter role ${user} createrole;`);
    expect(cause).toContain('nothing was done');
  } finally {
    await putSecret(ADMIN_SECRET, adminLogin());
    await sql.unsafe(`drop role ${user}`);
  }
  expect(lines.join()).toContain('PreflightFailed');
  expect(lines.join()).not.toContain(password);
});

test('while an execution of another workflow runs, nothing is prepared, and the SQL can be printed', async () => {
  const { sql } = database();
  const running = [deployed().machine, deployed().workflow('drill').machine].map(
    ({ arn }, number) => `${arn.replace(':stateMachine:', ':execution:')}:run-${String(number)}`,
  );
  const others = [...running, running[0]!.replace(/execution:.*/, 'execution:OfAnotherArchiver:run')];
  const { error, cause } = await prepare({}, { running: others });
  expect(error).toBe('ExecutionRunning');
  expect(cause).toMatch(
    /"executions run: ArchiverWorkflowArchive\w+ run-0, ArchiverDrillWorkflowDrill\w+ run-1"/,
  );
  expect(await sql`select from pg_namespace where nspname = 'partition_archiver'`).toHaveLength(0);
  const printed = await prepare({ print: true }, { running: others });
  expect(printed.status).toBe('SUCCEEDED');
});

test('before it is prepared, a table is inspected but not partitioned', async () => {
  const { sql } = database();
  await makePlainTable(sql, 'orders', 3000);
  const { status, output } = await start('inspect', { table: 'shop.orders', exact: true });
  expect(status).toBe('SUCCEEDED');
  const report = output as InspectionReport;
  expect(report.distribution?.periods.reduce((sum, { rows }) => sum + rows, 0)).toBe(3000);
  expect(report.partitionTable).toMatchObject({ table: 'shop.orders', control: 'at', interval: '1 month' });
  expect(report.chart.join('\n')).toMatch(/█+ +\d+ rows/);

  const refused = await partition({ table: 'shop.orders', upTo: 'swap' });
  expect([refused.error, refused.cause]).toEqual([
    'PreflightFailed',
    expect.stringContaining('the database is not prepared'),
  ]);
});

test('an empty database is prepared, and again, and then an archive run finds nothing wrong', async () => {
  const { sql } = database();
  // Its own execution runs, always.
  const { arn } = deployed().workflow('prepare-database').machine;
  const first = await prepare({}, { running: [`${arn.replace(':stateMachine:', ':execution:')}:1`] });
  expect([first.error, first.cause]).toEqual([
    'PreflightFailed',
    expect.stringMatching(
      /app.event: there is no such table[\s\S]*done: extension pg_partman; extension aws_s3/,
    ),
  ]);
  await createPartitionSet(sql, { owner: 'setup_owner', months: 3, rowsPerMonth: 5 });
  for (const input of [{}, { guard: false }]) {
    const lines: string[] = [];
    const { status, output } = await prepare(input, { onLog: (line) => lines.push(line) });
    expect(status).toBe('SUCCEEDED');
    expect((output as PreparationReport).done).toContain('owner setup_owner of app');
    expect((output as PreparationReport).done).toContain('password of archiver_drop');
    expect(lines.join()).toContain('prepared');
    expect(lines.join()).not.toMatch(new RegExp(`${ROLE_PASSWORD}|SCRAM`));
  }
  const run = await deployed().execute({ only: 'inventory' });
  expect([run.status, run.cause]).toEqual(['SUCCEEDED', undefined]);

  const { output } = await prepare({ print: true });
  expect(output).toMatchObject({
    sqlGzipBase64: expect.any(String),
    nextStep: expect.stringContaining('gunzip'),
  });
});

test('a table is partitioned while it is written to and every function is killed, and looked at before the swap', async () => {
  const { sql } = database();
  await sql.unsafe('create table shop.shadow as select id from shop.orders');
  const stop = new AbortController();
  const writer = (async () => {
    for (let n = 0; !stop.signal.aborted; n += 1) {
      await sql.begin(async (tx) => {
        const [{ id }] = await tx<
          [{ id: string }]
        >`insert into shop.orders (at, body) values (now(), 'new') returning id`;
        await tx`insert into shop.shadow values (${id})`;
        await tx`update shop.orders set body = 'changed' where id = ${(n * 7) % 3000}`;
        await tx`delete from shop.orders where id = ${(n * 11) % 3000}`;
        await tx`delete from shop.shadow where id = ${(n * 11) % 3000}`;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const { killed, onInvoke } = killingEachOnce(300);
  const plan = { control: 'at', interval: '1 month', retention: 'none', keys: 'extend' };
  const checked = await partition({ table: 'shop.orders', ...plan }, { onInvoke });
  expect([checked.status, checked.cause]).toEqual(['SUCCEEDED', undefined]);
  expect(checked.output).toMatchObject({ table: 'shop.orders', state: 'checked' });
  expect((checked.output as PartitionTableReport).rows).toBeGreaterThan(2500);
  const kind = sql`select relkind from pg_class where oid = 'shop.orders'::regclass`;
  expect(await kind).toEqual([{ relkind: 'r' }]);

  const other = await partition({ table: 'shop.orders', ...plan, keys: 'drop', upTo: 'swap' });
  expect([other.error, other.cause]).toEqual(['StateConflict', expect.stringContaining('another keys')]);
  const swapped = await partition({ table: 'shop.orders', upTo: 'swap' }, { onInvoke });
  stop.abort();
  await writer;
  expect([swapped.status, swapped.cause]).toEqual(['SUCCEEDED', undefined]);
  expect(swapped.output).toMatchObject({ state: 'swapped' });
  expect([...killed].sort()).toEqual(['Backfill', 'Begin', 'CatchUp', 'Compare', 'MakePartitions', 'Swap']);
  const [differences] = await sql<[{ count: number }]>`
    select count(*)::integer as count from (
      (select id from shop.orders except all select id from shop.shadow)
      union all (select id from shop.shadow except all select id from shop.orders)) d`;
  expect(differences).toEqual({ count: 0 });
});

test('the old table is dropped, and only once; what has not begun cannot be rolled back', async () => {
  const { sql } = database();
  expect((await partition({ table: 'shop.orders', rollBack: true })).error).toBe('StateConflict');
  let kills = 0;
  const { status, output } = await partition(
    { table: 'shop.orders', dropReplaced: true },
    {
      onInvoke: ({ state, kill }) => {
        if (state === 'DropReplaced' && (kills += 1) === 1) kill();
      },
    },
  );
  expect([status, kills]).toEqual(['SUCCEEDED', 2]);
  expect(output).toMatchObject({ state: 'dropped' });
  expect((await partition({ table: 'shop.orders', dropReplaced: true })).error).toBe('NotInLedger');
  expect(await sql`select to_regclass('partition_archiver_replaced.orders') as old`).toEqual([{ old: null }]);
});

test('rolled back, a table is what it was', async () => {
  const { sql } = database();
  await makePlainTable(sql, 'sales', 500);
  const before = await contents(sql, 'shop.sales');
  const plan = { control: 'at', interval: '1 month', retention: '6 months', keys: 'extend', premake: 1 };
  expect((await partition({ table: 'shop.sales', ...plan })).output).toMatchObject({
    state: 'checked',
    rows: 500,
  });
  expect((await partition({ table: 'shop.sales', rollBack: true })).output).toMatchObject({
    table: 'shop.sales',
    state: 'rolled back',
  });
  expect(await contents(sql, 'shop.sales')).toEqual(before);
  expect(
    await sql`select from pg_trigger where tgrelid = 'shop.sales'::regclass and tgname like 'partition_archiver%'`,
  ).toHaveLength(0);
});

test('what was detached before is proposed, adopted, and refused with the reasons the second time', async () => {
  const { sql } = database();
  await sql.unsafe(`create table app.event_old (like app.event including all);
    insert into app.event_old (id, ts) select g, timestamptz '2020-03-01 00:00+00' + g * interval '1 day' from generate_series(1, 20) g;
    alter table app.event_old owner to setup_owner`);
  const [{ oid }] = await sql<[{ oid: number }]>`select 'app.event_old'::regclass::oid as oid`;
  const input = { table: oid, partitionSet: 'app.event' };
  const proposal = await start('adopt', input);
  const { lowerBound: lower, upperBound: upper, kind } = proposal.output as AdoptionReport;
  expect(kind).toBe('proposal');
  const adopted = await start('adopt', { ...input, lower, upper });
  expect(adopted.output).toMatchObject({ kind: 'adopted', partitionId: expect.any(Number) });
  const again = await start('adopt', { ...input, lower, upper });
  expect([again.error, again.cause]).toEqual([
    'PreflightFailed',
    expect.stringContaining('in the ledger already'),
  ]);
});

test.each<[string, object, string]>([
  ['prepare-database', { guard: 'no' }, 'guard: "no" is not allowed'],
  ['inspect', { table: `shop."x'; drop table shop.sales; --"` }, 'there is no table'],
  ['inspect', { table: 'shop.sales', control: 'at"; drop table shop.sales; --' }, 'has no column'],
  ['partition-table', { table: 'shop.sales' }, 'control: is missing'],
  ['adopt', { table: 1259, partitionSet: 'pg_catalog.pg_class' }, 'configured are app.event'],
])('%s refuses %j before anything is changed', async (workflow, input, reason) => {
  const { error, cause } = await start(workflow, input);
  expect(error).toBe('InvalidInput');
  expect(cause?.replaceAll('\\"', '"')).toContain(reason);
  expect(await database().sql`select count(*)::integer as rows from shop.sales`).toEqual([{ rows: 500 }]);
});
