/** Heartbeat as its schedule starts it: the synthesised state machine with its bundle. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { useDatabase } from '../../support/database.ts';
import { lambdaEnvironment } from '../../support/lambda-environment.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
const empty = useDatabase();
const deployed = useStateMachine(archiver, [{ schema: 'app', table: 'event', query: true }]);

/** Runs the workflow; with the metrics that it published, as CloudWatch reads them. */
async function beat(environment: Readonly<Record<string, string>> = {}) {
  const lines: string[] = [];
  const execution = await deployed()
    .workflow('heartbeat')
    .execute(
      {},
      {
        onLog: (line: string) => void lines.push(line),
        environment: { ...lambdaEnvironment(), ...environment },
      },
    );
  const published = lines
    .filter((line) => line.includes('"_aws"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>);
  return { ...execution, published };
}

test('publishes how old the deployment and the last successful run are, and how each set stands', async () => {
  const { sql } = archiver().database;
  await createPartitionSet(sql, { months: 3, rowsPerMonth: 10 });
  const never = await beat();
  expect(never).toMatchObject({
    status: 'SUCCEEDED',
    output: { prepared: true, daysSinceSuccess: { run: null } },
  });
  expect(never.published.filter((line) => 'DaysSinceSuccessfulRun' in line)).toEqual([]);

  await sql`
    insert into partition_archiver.run (started_at, finished_at, mode, dry_run, partition_sets, archived, dropped, failed)
    select now() - interval '1 day' * d, now() - interval '1 day' * d, 'inventory', d = 1, '{}', 0, 0, case d when 2 then 1 else 0 end
      from generate_series(1, 3) d`;
  // Of the jobs of PartitionTable, those that are not over, in this database.
  await sql`
    insert into partition_archiver.partition_job (system_identifier, database_name, table_oid, table_schema, table_name, table_owner,
      control_column, mode, key_columns, objects, columns, ddl, options, state, began_at)
    select partition_archiver.system_identifier(), case state when 'copied' then 'other' else current_database() end, d, 'app', 'plain',
           'app', 'at', 'online', '{}', '[]', '[]', '{}', '{}', state, now() - interval '1 day' * d
      from (values (8, 'checked'), (7, 'begun'), (20, 'swapped'), (30, 'rolled back'), (40, 'copied')) as j (d, state)`;
  const { output, published } = await beat();
  const { daysSinceSuccess } = output as { daysSinceSuccess: Record<string, number> };
  // The run of yesterday was dry, and that of the day before failed.
  expect(daysSinceSuccess['run']).toBeCloseTo(3, 1);
  expect(published.map((line) => Object.keys(line).find((key) => /^Days|^Future/.test(key)))).toEqual([
    'DaysWithoutCopy',
    'DaysSinceDeployment',
    'DaysSinceSuccessfulRun',
    'DaysSinceSuccessfulDrill',
    'DaysSinceSuccessfulAudit',
    'DaysInPartitioning',
    'DaysSinceArchiveRun',
  ]);
  expect(published.find((line) => 'DaysInPartitioning' in line)?.['DaysInPartitioning']).toBeCloseTo(8, 1);
  expect(published[1]!['DaysSinceDeployment']).toBeLessThan(0.1);
});

test('in a database that is not prepared it succeeds, and tells of the deployment alone', async () => {
  const { status, output, published } = await beat({ DATABASE_NAME: empty().name });
  expect({ status, output }).toMatchObject({ status: 'SUCCEEDED', output: { prepared: false } });
  expect(published.map((line) => 'DaysSinceDeployment' in line)).toEqual([false, true]);
});

// Seen to fail where the look for late copies followed the database: DaysWithoutCopy was not published.
test('a database that cannot be reached silences no look into the bucket', async () => {
  const { status, output, published } = await beat({ DATABASE_PORT: '1' });
  expect({ status, output }).toMatchObject({
    status: 'SUCCEEDED',
    output: { Error: 'DatabaseUnavailable' },
  });
  expect(published.map((line) => Object.keys(line).find((key) => key.startsWith('Days')))).toEqual([
    'DaysWithoutCopy',
    // Each try.
    ...published.slice(1).map(() => 'DaysSinceDeployment'),
  ]);
});

// Seen to fail without the Catch of LateCopies: nothing was published.
test('a bucket that cannot be read silences no metric of the database, and fails the execution', async () => {
  const { status, published } = await beat({ ARCHIVE_BUCKET: 'no-such-bucket' });
  expect(status).toBe('FAILED');
  expect(published.map((line) => Object.keys(line).find((key) => key.startsWith('Days')))).toContain(
    'DaysSinceArchiveRun',
  );
});
