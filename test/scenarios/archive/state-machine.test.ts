import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RunReport } from '../../../core/archive/report.ts';
import { useArchiver } from '../../support/archiver.ts';
import { killingEachOnce } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
const common = { schema: 'app', drop: true, graceDays: 0, segmentSizeMiB: 1 };
const deployed = useStateMachine(archiver, [
  { ...common, table: 'plain' },
  { ...common, table: 'viewed' },
  { ...common, table: 'killed' },
  { ...common, table: 'kept', drop: false },
]);

beforeAll(async () => {
  for (const table of ['plain', 'viewed', 'killed', 'kept']) {
    // Two of the four of `viewed` are past the retention, one of the three of the others.
    const months = table === 'viewed' ? 4 : 3;
    await createPartitionSet(archiver().database.sql, { table, rowsPerMonth: 100, months });
  }
});

const states = async (table: string): Promise<string[]> =>
  (
    await archiver().database.sql<{ state: string }[]>`
      select state from partition_archiver.partition where parent_name = ${table} and state <> 'attached' order by id`
  ).map(({ state }) => state);

describe('the synthesised state machine with the synthesised bundles', () => {
  test('a dry run changes nothing', async () => {
    const { status, output } = await deployed().execute({ dryRun: true });
    expect(status).toBe('SUCCEEDED');
    expect((output as RunReport).forecast).toHaveLength(5);
    expect(await states('plain')).toEqual([]);
  });

  test('an input that wants more than is configured is refused before anything is changed', async () => {
    const { status, error, cause } = await deployed().execute({ partitionSets: ['app.other'], force: true });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
    expect(cause).toContain('there is no such field');
    expect(await states('plain')).toEqual([]);
  });

  test('archives, proves and drops', async () => {
    const { status, output } = await deployed().execute({ partitionSets: ['app.plain'] });
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 100, resume: false });
    expect(await states('plain')).toEqual(['dropped']);
  });

  test('archives without dropping where the configuration does not let it', async () => {
    const { output } = await deployed().execute({ partitionSets: ['app.kept'] });
    expect(output).toMatchObject({ archived: 1, dropped: 0, failed: 0 });
    expect(await states('kept')).toEqual(['verified']);
  });

  test('a partition that fails stops no other, fails the execution, and a redrive resumes it', async () => {
    const { sql } = archiver().database;
    await deployed().execute({ partitionSets: ['app.viewed'], only: 'inventory' });
    const [cold] = await sql<{ name: string }[]>`
      select table_oid::regclass::text as name from partition_archiver.partition where parent_name = 'viewed' order by upper_time limit 1`;
    const name = String(cold?.name);
    // Detached by somebody else: under a view the archiver leaves it attached.
    await sql.unsafe(
      `alter table app.viewed detach partition ${name}; create view app.depends as select * from ${name}`,
    );
    const failed = await deployed().execute({ partitionSets: ['app.viewed'] });
    expect({ status: failed.status, error: failed.error }).toEqual({
      status: 'FAILED',
      error: 'PartitionsFailed',
    });
    expect(failed.cause).toContain('depended upon by view app.depends');
    expect(failed.failedState?.name).toBe('Report');
    expect(await states('viewed')).toEqual(['blocked', 'dropped']);

    await sql`drop view app.depends`;
    await sql`select partition_archiver.unblock(id) from partition_archiver.partition where state = 'blocked'`;
    const redriven = await deployed().redrive(failed);
    expect(redriven.status).toBe('SUCCEEDED');
    expect(await states('viewed')).toEqual(['dropped', 'dropped']);
  });

  test('a Lambda that is killed at any step is started again, and the run ends well', async () => {
    const { killed, onInvoke } = killingEachOnce(60);
    const { status, output } = await deployed().execute({ partitionSets: ['app.killed'] }, { onInvoke });
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ archived: 1, dropped: 1, failed: 0 });
    expect(await states('killed')).toEqual(['dropped']);
    expect(killed.size).toBeGreaterThanOrEqual(9);
  });
});
