/** Convert with a Glue database: the synthesised state machine, on archives of a real run and the local stub of Glue. */
import { beforeAll, expect, test } from '@jest/globals';
import { GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { glueCatalog } from '../../../adapters/glue/catalog.ts';
import { useArchiver } from '../../support/archiver.ts';
import { killedAfter } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { stack } from '../../support/stack.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const archiver = useArchiver();
const DATABASE = 'events_archive';
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, query: true };
/** Archived, and still in the database. */
const KEPT = { schema: 'app', table: 'kept', drop: false, query: true };
const deployed = useStateMachine(archiver, [SET, KEPT], { glueDatabase: DATABASE });
const convert = (input: object = {}, options = {}) => deployed().workflow('convert').execute(input, options);

beforeAll(async () => {
  const { database, run, config } = archiver();
  for (const table of ['event', 'kept']) {
    await createPartitionSet(database.sql, { table, months: 5, rowsPerMonth: 50 });
  }
  expect(await run(config([SET, KEPT]))).toMatchObject({ failed: 0 });
});

/** Ids of the archives that queries find; one that is there twice is twice in it. */
async function found(): Promise<string[]> {
  const { glue, s3 } = stack();
  const client = new GlueClient({
    region: s3.region,
    endpoint: glue.endpoint,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  try {
    const answer = await client
      .send(new GetTablesCommand({ DatabaseName: DATABASE }))
      .catch(() => ({ TableList: [] }));
    const ledger = await archiver().database.sql<{ period: string; archive_id: string }[]>`
      select period, archive_id from partition_archiver.partition where archive_id is not null`;
    const keys = ledger.map(({ period, archive_id: archiveId }) => ({ period, archiveId }));
    const [table] = answer.TableList ?? [];
    const name = table?.Parameters?.['partition-archiver.archiver'] ?? '';
    const catalog = glueCatalog(client, DATABASE, name);
    const tables = await catalog.tables({ schema: 'app', table: 'event' }).catch(() => []);
    const kept = await catalog.tables({ schema: 'app', table: 'kept' }).catch(() => []);
    const partitions = await Promise.all(
      [...tables, ...kept].map((each) => catalog.partitions(each.name, keys)),
    );
    return partitions.flat().map(({ archiveId }) => archiveId);
  } finally {
    client.destroy();
  }
}

const dropped = async (): Promise<string[]> =>
  (
    await archiver().database.sql<{ archive_id: string }[]>`
      select archive_id from partition_archiver.partition where state = 'dropped' order by id`
  ).map(({ archive_id: archiveId }) => archiveId);

test('killed anywhere, archives are found once or not at all; in the end exactly those whose rows were dropped', async () => {
  const statuses: string[] = [];
  for (const most of [0, 8, 20, 21, 22, 23, 24, 1000]) {
    statuses.push(await killedAfter(most, (options) => convert({}, options)));
    const ids = await found();
    expect(new Set(ids).size).toBe(ids.length);
    const gone = new Set(await dropped());
    expect(ids.filter((id) => !gone.has(id))).toEqual([]);
  }
  expect(statuses[0]).toBe('ABORTED');
  expect(statuses.at(-1)).toBe('SUCCEEDED');
  expect((await found()).sort()).toEqual((await dropped()).sort());
  expect((await dropped()).length).toBeGreaterThan(1);
});

test('withdrawn, an archive is not found, and its table can be attached; others stay', async () => {
  const [first = '', ...others] = await dropped();
  const { database, operations } = archiver();
  await database.sql`update partman.part_config set retention = '100 years' where parent_table = 'app.event'`;
  expect(await convert({ withdraw: [first] })).toMatchObject({
    status: 'SUCCEEDED',
    output: { listed: 0, withdrawn: 1 },
  });
  expect((await found()).sort()).toEqual(others.sort());
  const [{ key } = { key: '' }] = await database.sql<{ key: string }[]>`
    select manifest_key as key from partition_archiver.partition where archive_id = ${first}`;
  expect(await operations().restore({ manifestKey: key, attach: 'parent' })).toMatchObject({
    attachedTo: 'app.event',
  });
  expect(await convert()).toMatchObject({ status: 'SUCCEEDED', output: { listed: 0, withdrawn: 0 } });
  expect((await found()).sort()).toEqual(others.sort());
});

// Seen to fail without find-leftovers: the partition stayed.
test('what the ledger does not list is taken out, and the rest stays', async () => {
  const before = (await found()).sort();
  const { glue, s3 } = stack();
  const client = new GlueClient({
    region: s3.region,
    endpoint: glue.endpoint,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  const { TableList: [table] = [] } = await client.send(new GetTablesCommand({ DatabaseName: DATABASE }));
  const catalog = glueCatalog(client, DATABASE, table?.Parameters?.['partition-archiver.archiver'] ?? '');
  const [shape] = await catalog.tables({ schema: 'app', table: 'event' });
  const stray = {
    period: '201001',
    archiveId: '01234567-89ab-4def-8123-456789abcdef',
    location: 's3://b/q/',
  };
  await catalog.addPartitions(shape!, [stray]);
  expect(await convert()).toMatchObject({ status: 'SUCCEEDED', output: { leftovers: 1 } });
  expect(await catalog.partitions(shape!.name, [stray])).toEqual([]);
  expect((await found()).sort()).toEqual(before);
  expect(await convert()).toMatchObject({ status: 'SUCCEEDED', output: { leftovers: 0 } });
  client.destroy();
});

/** As docs/runbook.md says. */
test('an erased archive is found by nobody, and Convert and audits pass', async () => {
  const { database, s3, bucket, operations } = archiver();
  const [row] = await database.sql<{ id: string; key: string }[]>`
    select archive_id::text as id, manifest_key as key from partition_archiver.partition where state = 'dropped' limit 1`;
  const { id, key } = row!;
  expect(await convert({ withdraw: [id] })).toMatchObject({ status: 'SUCCEEDED' });
  const folder = key.split('/').slice(0, 4).join('/');
  for (const part of ['query/', 'query-manifest/', 'data/', 'ddl/', 'manifest/']) {
    const { Versions = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${folder}/${part}${id}` }),
    );
    expect(Versions.length).toBeGreaterThan(0);
    const Objects = Versions.map(({ Key, VersionId }) => ({ Key, VersionId }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
  }
  expect(await found()).not.toContain(id);
  expect(await convert()).toMatchObject({ status: 'SUCCEEDED', output: { converted: 0, leftovers: 0 } });
  const { damaged, unknown } = await operations().auditMany(
    { query: { schema: 'app', table: 'event' }, archives: null, segments: null },
    () => undefined,
  );
  expect({ damaged, unknown }).toEqual({ damaged: 0, unknown: 0 });
});
