/** Bounds of type date and timestamp are points in time in the time zone of the partition set only (hazard 10). */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { serializeManifest, type Manifest } from '../../../core/manifest.ts';
import { useArchiver } from '../../support/archiver.ts';
import { createKind } from '../../support/kinds.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const [schema, timeZone] = ['zoned', 'America/New_York'];

describe.each(['date', 'timestamp'])('bounds of type %s', (controlType) => {
  const table = `by_${controlType}`;
  let manifestKeys: string[];
  let archived: unknown;

  beforeAll(async () => {
    const { database, run, config, operations } = archiver();
    await createKind(database.sql, {
      schema,
      table,
      controlType,
      timeZone,
      interval: 'monthly',
      retention: '2 months',
      start: `date_trunc('month', now()) - interval '5 months'`,
      values: `select date_trunc('month', now()) - interval '5 months' + g * interval '10 days' from generate_series(1, 9) g`,
    });
    await run(config([{ schema, table, timeZone, drop: true, graceDays: 0 }]));
    manifestKeys = (await operations().find({ schema, table })).archives.map((each) => each.manifestKey);
    archived = await boundsOf('dropped');
  });

  const boundsOf = async (state: string): Promise<unknown> => {
    const { sql } = archiver().database;
    const [bounds] = await sql`
      select lower_time, upper_time, period, time_zone from partition_archiver.partition
       where parent_name = ${table} and state = ${state} order by lower_time limit 1`;
    return bounds;
  };
  const forget = async (): Promise<void> => {
    await archiver().database.sql`truncate partition_archiver.partition cascade`;
  };

  // Seen to fail without: v_inventory in publish_restore(); the bounds were midnight in UTC.
  test('are the same points in time after a restore as before it', async () => {
    await archiver().operations().restore({ manifestKey: manifestKeys[0]! });
    expect(await boundsOf('restored')).toEqual(archived);
    expect(archived).toMatchObject({ time_zone: timeZone });
  });

  // Seen to fail without: timeZone in the manifest, and v_time_zone in publish_restore().
  test('are the same where the ledger is gone', async () => {
    await archiver().database.sql.unsafe(`drop table if exists ${schema}."${String(await restored())}"`);
    await forget();
    await archiver().operations().restore({ manifestKey: manifestKeys[0]! });
    expect(await boundsOf('restored')).toEqual(archived);
  });
  const restored = async (): Promise<unknown> => {
    const { sql } = archiver().database;
    const [row] = await sql`
      select table_name from partition_archiver.partition where parent_name = ${table} and state = 'restored'`;
    return row?.['table_name'];
  };

  // Seen to fail with 'UTC' in attach_problems(): the retention would detach it again.
  test('decide in this time zone whether the retention lets a partition be attached', async () => {
    const { database, operations } = archiver();
    await forget();
    // Past the retention by midnight in UTC, and in two hours by midnight in New York.
    await database.sql`
      update partman.part_config
         set retention = (now() - (select (p.lower + interval '1 month') at time zone ${timeZone}
                                     from (select date_trunc('month', now() at time zone ${timeZone}) - interval '4 months' as lower) p)
                          + interval '2 hours')::text
       where parent_table = ${`${schema}.${table}`}`;
    expect(await operations().restore({ manifestKey: manifestKeys[1]!, attach: 'parent' })).toMatchObject({
      attachedTo: `${schema}.${table}`,
    });
  });

  const read = async (key: string): Promise<Manifest> => {
    const { s3, bucket } = archiver();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? '') as Manifest;
  };
  const overwrite = async (Key: string, template: Record<string, unknown>): Promise<string> => {
    const { s3, bucket } = archiver();
    const manifest = await read(Key);
    const Body = serializeManifest({ ...manifest, ddl: { ...manifest.ddl, template } });
    const { VersionId = '' } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    return VersionId;
  };

  // Seen to be midnight in UTC before, by which a retention could end hours early.
  test('are not known where an earlier version wrote the manifest and the ledger is gone', async () => {
    await forget();
    const manifestKey = manifestKeys[2]!;
    const { timeZone: written, ...template } = (await read(manifestKey)).ddl.template;
    expect(written).toBe(timeZone);
    const manifestVersionId = await overwrite(manifestKey, template);
    await archiver().operations().restore({ manifestKey, manifestVersionId });
    expect(await boundsOf('restored')).toMatchObject({ lower_time: null, upper_time: null, time_zone: null });
  });

  // Seen to fail without the check in checkManifest(): DatabaseRejected, after the rows were loaded.
  test('are refused where the time zone in the manifest is none', async () => {
    const manifestKey = manifestKeys[1]!;
    const { template } = (await read(manifestKey)).ddl;
    const manifestVersionId = await overwrite(manifestKey, { ...template, timeZone: 'Middle/Earth' });
    const refused = archiver().operations().restore({ manifestKey, manifestVersionId, table: 'other' });
    expect(await failureOf(refused)).toMatchObject({
      code: 'ManifestInvalid',
      message: expect.stringContaining('time zone "Middle/Earth" is not known'),
    });
  });
});
