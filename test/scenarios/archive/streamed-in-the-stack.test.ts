/** A database without aws_s3: its set is streamed, proven, dropped and restored by the workflows of the stack. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { listKeys } from '../../support/archives.ts';
import { killingEachOnce } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
const common = { schema: 'app', drop: true, graceDays: 0, segmentSizeMiB: 1 };
const streamed = { ...common, export: 'stream' };
const deployed = useStateMachine(archiver, [
  { ...streamed, table: 'plain' },
  { ...streamed, table: 'killed' },
]);

beforeAll(async () => {
  const { sql } = archiver().database;
  const values = `repeat(md5(g::text), 30)`;
  for (const table of ['plain', 'killed']) {
    await createPartitionSet(sql, { table, rowsPerMonth: 4000, months: 3, values });
  }
  await sql`drop extension aws_s3`;
});

const ledger = async (table: string) => {
  const rows = await archiver().database.sql<{ state: string; segments: number; rows: number }[]>`
    select l.state, count(s)::integer as segments, sum(s.row_count)::integer as rows
      from partition_archiver.partition l left join partition_archiver.segment s using (archive_id)
     where l.parent_name = ${table} and l.state <> 'attached' group by l.id`;
  return [...rows];
};

describe('the state machines of a stack whose sets are streamed', () => {
  test('archive, prove and drop, and restore every row', async () => {
    const { sql } = archiver().database;
    const contents = async (table: string) => {
      const [row] = await sql.unsafe<[{ sum: string }]>(
        `select count(*) || ' ' || sum(hashtextextended(t::text, 0)) as sum from ${table} t`,
      );
      return row.sum;
    };
    const [cold] = await sql<[{ name: string }]>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.plain'::regclass order by inhrelid limit 1`;
    const before = await contents(cold.name);
    const { status, output, cause } = await deployed().execute({ partitionSets: ['app.plain'] });
    expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
    expect(output).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 4000 });
    const [archived] = await ledger('plain');
    expect(archived).toMatchObject({ state: 'dropped', rows: 4000 });
    expect(archived!.segments).toBeGreaterThan(2);

    const keys = await listKeys(archiver().s3, archiver().bucket);
    const manifestKey = keys.find((key) => key.includes('/plain/') && key.endsWith('.json'));
    const restored = await deployed().workflow('restore').execute({ manifestKey, table: 'back' });
    expect({ status: restored.status, cause: restored.cause }).toEqual({
      status: 'SUCCEEDED',
      cause: undefined,
    });
    expect(await contents('app.back')).toBe(before);
  });

  test('end well though each function is killed once', async () => {
    const { killed, onInvoke } = killingEachOnce(60);
    const { status, output } = await deployed().execute({ partitionSets: ['app.killed'] }, { onInvoke });
    expect(status).toBe('SUCCEEDED');
    expect(output).toMatchObject({ archived: 1, dropped: 1, failed: 0, rows: 4000 });
    expect([...killed]).toContain('Stream');
  });
});
