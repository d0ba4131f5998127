/** The workflow *Convert* as it is deployed: the synthesised state machine with its bundles, on archives of a real run. */
import { beforeAll, expect, test } from '@jest/globals';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { parseCopyManifest, type CopyManifest } from '../../../core/query/copy-manifest.ts';
import { useArchiver } from '../../support/archiver.ts';
import { getObject, listKeys, readArchives } from '../../support/archives.ts';
import { killedAfter } from '../../support/killed-execution.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { useStateMachine } from '../../support/state-machine.ts';

const ROWS = 15_000;
const archiver = useArchiver();
const SET = { schema: 'app', table: 'event', drop: true, graceDays: 0, segmentSizeMiB: 1, query: true };
const deployed = useStateMachine(archiver, [SET, { schema: 'app', table: 'other' }]);
const convert = (input: object = {}, options = {}) => deployed().workflow('convert').execute(input, options);

const keys = (): Promise<string[]> => listKeys(archiver().s3, archiver().bucket);

async function copies(): Promise<CopyManifest[]> {
  const { s3, bucket } = archiver();
  const manifests = (await keys()).filter((key) => key.includes('/query-manifest/')).sort();
  return Promise.all(
    manifests.map(async (key) => parseCopyManifest((await getObject(s3, bucket, key)).toString(), key)),
  );
}

beforeAll(async () => {
  const { database, run, config } = archiver();
  // The newest of the archived months has a value that a decimal cannot hold.
  const values = `repeat('row ' || g, 12), case when month > now() - interval '4 months' and g = 9000 then 'NaN' else g / 100.0 end`;
  await createPartitionSet(database.sql, {
    months: 5,
    rowsPerMonth: ROWS,
    columns: 'payload text, score numeric(8,2)',
    values,
  });
  await createPartitionSet(database.sql, { table: 'other', months: 3, rowsPerMonth: 10 });
  const other = { schema: 'app', table: 'other', drop: true, graceDays: 0 };
  expect(await run(config([SET, other]))).toMatchObject({ failed: 0 });
});

/** The days that *Heartbeat* publishes of the oldest archive without a copy. */
async function daysWithoutCopy(): Promise<unknown> {
  const lines: string[] = [];
  const { status } = await deployed()
    .workflow('heartbeat')
    .execute({}, { onLog: (line: string) => void lines.push(line) });
  expect(status).toBe('SUCCEEDED');
  const [line = ''] = lines.filter((each) => each.includes('"DaysWithoutCopy":'));
  return (JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>)['DaysWithoutCopy'];
}

test('Heartbeat publishes for how long an archive has had no copy', async () => {
  expect(await daysWithoutCopy()).toBeGreaterThan(0);
});

test('killed anywhere, an execution leaves whole copies or none, and the next ones end the same', async () => {
  const statuses: string[] = [];
  for (const most of [0, 2, 4, 7, 12, 1000]) {
    statuses.push(await killedAfter(most, (options) => convert({}, options)));
    const there = new Set(await keys());
    for (const { objects } of await copies())
      expect(objects.filter(({ key }) => !there.has(key))).toEqual([]);
  }
  expect(statuses[0]).toBe('ABORTED');
  expect(statuses.at(-1)).toBe('SUCCEEDED');
  const archives = await readArchives(archiver().s3, archiver().bucket);
  const events = archives.filter(({ manifest }) => manifest.partition.parentName === 'event');
  const made = await copies();
  expect(made.map(({ archiveId }) => archiveId).sort()).toEqual(
    events.map(({ manifest }) => manifest.archiveId).sort(),
  );
  expect(made.length).toBeGreaterThan(1);
  for (const { contents, objects, columns } of made) {
    expect(contents.rows).toBe(ROWS);
    expect(objects.length).toBeGreaterThan(1);
    expect(objects.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS);
    expect(columns).toHaveLength(4);
  }
});

test('a value that a column cannot hold makes the column text in its archive only, in all segments of it', async () => {
  const made = await copies();
  const asText = made.filter(({ columns }) => columns[3]?.kind === 'text');
  expect(asText).toHaveLength(1);
  expect(asText[0]?.columns[3]?.fallback).toMatch(/NaN/);
  expect(asText[0]?.givenUp.length).toBeGreaterThan(0);
  expect(made.filter(({ columns }) => columns[3]?.kind === 'decimal32')).toHaveLength(made.length - 1);
  // What the first attempt left is no damage.
  const audits = await deployed().workflow('audit').execute({ partitionSet: 'app.event' });
  expect(audits).toMatchObject({ status: 'SUCCEEDED' });
});

test('an execution with nothing to do changes nothing, and a set without "query" is refused', async () => {
  const before = await keys();
  expect(await convert()).toMatchObject({ status: 'SUCCEEDED', output: { converted: 0 } });
  expect(await keys()).toEqual(before);
  expect(await daysWithoutCopy()).toBe(0);
  const { status, error, cause } = await convert({ partitionSet: 'app.other' });
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidInput' });
  expect(cause).toContain('is not configured with \\"query\\": true');
});

test('an archive that is not to be trusted is named, and stops no other', async () => {
  const { s3, bucket } = archiver();
  const [first] = (await readArchives(s3, bucket)).filter(({ key }) => key.includes('/event/'));
  const written = first!.key.replace(/[0-9a-f-]{36}\.json$/, '01234567-89ab-4def-8123-456789abcdef.json');
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: written, Body: '{}' }));
  const { status, error, cause } = await convert();
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'CopiesFailed' });
  const { errorMessage } = JSON.parse(cause ?? '') as { errorMessage: string };
  expect(errorMessage.split('\n')).toEqual([
    '0 archives converted, 1 not; 0 listed, 0 withdrawn, 0 not listed',
    `${written}: ManifestInvalid`,
  ]);
});
