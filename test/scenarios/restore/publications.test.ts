/** Publications that would carry a restored table: its subscriber would stop at the first row of a table that it has not got. */
import { beforeAll, expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
let manifestKey = '';

beforeAll(async () => {
  const { database, run, config, operations } = archiver();
  await createPartitionSet(database.sql, { months: 3, rowsPerMonth: 50 });
  await run(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));
  manifestKey = (await operations().find({})).archives[0]!.manifestKey;
});

// Seen to fail without refusePublications() in core/restore/begin.ts: restored, with its rows in the publication.
test.each([
  ['every table', 'for all tables', 'partition_archiver'],
  ['the schema of the table', 'for tables in schema app', 'app.back'],
  ['the table that it is attached to', 'for table app.event', 'app.event'],
])(
  'a publication of %s is refused before anything is made, unless it is accepted',
  async (_, what, carried) => {
    const { database, operations } = archiver();
    const { sql } = database;
    await sql.unsafe(`
    update partman.part_config set retention = null where parent_table = 'app.event';
    create publication "Feed" ${what}`);
    const input = { manifestKey, table: 'back', attach: 'parent' };
    const failure = await failureOf(operations().restore(input));
    expect(failure.code).toBe('PreflightFailed');
    expect(failure.message).toMatch(
      /^publication Feed: carries .*, thereby .*acceptedPublications in its input, --accept-publication$/,
    );
    expect(failure.message).toContain(carried);
    expect(await sql`select from partition_archiver.restore where state <> 'done'`).toEqual([]);
    expect(await operations().restore({ ...input, acceptedPublications: ['Feed'] })).toMatchObject({
      attachedTo: 'app.event',
    });
    await sql.unsafe(
      `alter table app.event detach partition app.back; drop table app.back; drop publication "Feed"`,
    );
  },
);

test("a drill's table is out of sight, and counts as the archiver's own", async () => {
  const { database, operations } = archiver();
  await database.sql`create publication app_only for tables in schema app`;
  expect(await operations().drill({}, database.name)).toMatchObject({ rows: 50 });
  await database.sql`drop publication app_only`;
});
