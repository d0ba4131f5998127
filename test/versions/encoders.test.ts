/**
 * Sets by a uuid or a text that pg_partman decodes to times, from 5.2 on: no bound of theirs is a time or a number, so the
 * archiver works on none of their partitions and says so.
 */
import { expect } from '@jest/globals';
import { partmanVersion } from '../../local/stack/installation.ts';
import { detectDatabase } from '../../adapters/postgres/archive/detect.ts';
import { maintainDatabase } from '../../adapters/postgres/archive/maintain.ts';
import { adoptDatabase } from '../../adapters/postgres/ledger/adopt.ts';
import { adopt } from '../../core/ledger/adopt.ts';
import { silentLog as log } from '../../core/ports.ts';
import { useArchiver } from '../support/archiver.ts';
import { inState } from '../support/ledger.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { testInstallation } from '../support/stack.ts';
import { testIf } from '../support/test-if.ts';
import { failureOf } from '../support/verified.ts';

const archiver = useArchiver();

const [major = 0, minor = 0] = partmanVersion(testInstallation()).split('.').map(Number);
const withEncoders = testIf(major > 5 || (major === 5 && minor >= 2), 'pg_partman 5.2 or later');

/** Makes a set of five months, with ten rows in each, of which pg_partman keeps two months. */
async function create(table: string, type: string, encoder: string, decoder: string): Promise<void> {
  const { sql } = archiver().database;
  await sql.unsafe(`
    create table app.${table} (id ${type} primary key, payload text) partition by range (id);
    select partman.create_parent(p_parent_table => 'app.${table}', p_control => 'id', p_interval => '1 month', p_premake => 2,
      p_start_partition => (now() - interval '5 months')::text, p_time_encoder => '${encoder}', p_time_decoder => '${decoder}');
    update partman.part_config set retention = '2 months', retention_keep_table = true where parent_table = 'app.${table}';
    insert into app.${table} select ${encoder}(now() - m * interval '1 month' + g * interval '1 minute'), 'row'
      from generate_series(0, 4) m, generate_series(1, 10) g;
    do $$ declare t regclass; begin
      for t in select relid from pg_partition_tree('app.${table}') loop execute format('alter table %s owner to app_owner', t); end loop;
    end $$`);
}

// Seen to fail with uuid and text taken for ids in partition_set(): the run asked for an interval in numbers.
withEncoders(
  'a set by uuid and one by text are refused by name, lose nothing, and hinder no other set',
  async () => {
    const { database, run, config } = archiver();
    const { sql } = database;
    await createPartitionSet(sql, { table: 'sound', months: 3, rowsPerMonth: 10 });
    await sql.unsafe(`
    create function app.encode_time(timestamptz) returns text language sql stable
      return 'at-' || to_char($1 at time zone 'UTC', 'YYYYMMDDHH24MISS');
    create function app.decode_time(text) returns timestamptz language sql stable
      return to_timestamp(substr($1, 4), 'YYYYMMDDHH24MISS')::timestamp at time zone 'UTC'`);
    await create('by_uuid', 'uuid', 'partman.uuid7_time_encoder', 'partman.uuid7_time_decoder');
    await create('by_text', 'text', 'app.encode_time', 'app.decode_time');
    const tables = ['by_uuid', 'by_text', 'sound'];
    const settings = config(tables.map((table) => ({ schema: 'app', table, drop: true, graceDays: 0 })));
    const attached = (table: string) => sql`
    select inhrelid from pg_inherits where inhparent = ${`app.${table}`}::regclass order by 1`;
    const before = [await attached('by_uuid'), await attached('by_text')];

    const failure = await failureOf(run(settings));

    expect(failure.code).toBe('PartitionsFailed');
    expect(failure.message).toMatch(/^1 archived and proven \(10 rows, .* 1 dropped, 2 failed/);
    expect(await inState(sql, 'dropped')).toMatchObject([{ table: expect.stringMatching(/^sound_p/) }]);
    expect([await attached('by_uuid'), await attached('by_text')]).toEqual(before);
    const connection = archiver().open('archiver_maintain');
    try {
      const detect = detectDatabase(connection);
      const maintain = maintainDatabase(connection, []);
      for (const [table, type] of [
        ['by_uuid', 'uuid'],
        ['by_text', 'text'],
      ] as const) {
        const problem = `control column id of type ${type} (epoch none) is not supported`;
        expect(failure.message).toContain(`app.${table}: PreflightFailed, app.${table}: its ${problem}`);
        const set = settings.partitionSets.find((each) => each.table === table)!;
        for (const work of [
          () => maintain.inventory(set),
          () => maintain.detached(set),
          () => detect.candidates(set),
          () => detect.forecast(set, [set]),
        ]) {
          expect(await failureOf(work())).toMatchObject({
            code: 'PreflightFailed',
            message: expect.stringContaining(`of app.${table}: its ${problem}`),
          });
        }
        expect(await maintain.expiring(set)).toEqual([]);
        expect(await maintain.health(set)).toMatchObject({ gaps: [] });
        await sql`select from partition_archiver.progress(${`app.${table}`}::regclass, 'UTC', now())`;

        // As pg_partman leaves them, with the rows in them.
        await sql`select partman.run_maintenance(${`app.${table}`})`;
        const detached = await sql<{ oid: number; rows: number }[]>`
        select c.oid, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', c.oid::regclass), false, true, '')))[1]::text::integer as rows
          from pg_class c where c.relname like ${`${table}\\_p%`} and c.relkind = 'r' and not c.relispartition order by c.relname`;
        expect(detached.length).toBeGreaterThanOrEqual(2);
        expect(detached.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(20);
        for (const { oid } of detached) {
          const bounds = { lower: '2026-01-01', upper: '2026-02-01' };
          expect(
            await adopt(
              { table: oid, partitionSet: set, bounds },
              { database: adoptDatabase(connection), log },
            ),
          ).toEqual({ kind: 'refused', reasons: [`the ${problem}`] });
        }
      }
    } finally {
      await connection.end();
    }
    expect(await sql`select distinct parent_name from partition_archiver.partition`).toEqual([
      { parent_name: 'sound' },
    ]);
  },
);
