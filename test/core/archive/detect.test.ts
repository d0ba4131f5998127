import { describe, expect, test } from '@jest/globals';
import {
  detect,
  type Candidate,
  type DetectDatabase,
  type Detection,
  type Forecast,
} from '../../../core/archive/detect.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { Request } from '../../../core/archive/request.ts';
import { fakeLog, fakePort, makeConfig, makeRequest } from '../../support/fakes.ts';

const candidate = (changes: Partial<Candidate>): Candidate => ({
  id: 1,
  schema: 'app',
  table: 'event_p1',
  state: 'detached',
  pastRetention: true,
  due: null,
  lowerBound: '2021-01-01',
  upperBound: '2021-02-01',
  ...changes,
});

function look(
  candidates: readonly Candidate[],
  request: Partial<Request> = {},
  set: Record<string, unknown> = {},
) {
  const database = fakePort<DetectDatabase>({ candidates: async () => candidates });
  return detect(makeRequest(request), makeConfig(set), { database, log: fakeLog() });
}

describe('what there is to do for a partition', () => {
  const drop = { drop: true };
  test.each<[string, Partial<Candidate>, Record<string, unknown>, Partial<Request>, boolean]>([
    ['detached and past retention', {}, {}, {}, true],
    ['detached, but too young', { pastRetention: false }, {}, {}, false],
    ['left behind in quarantine', { state: 'quarantined' }, {}, {}, true],
    [
      'left behind in quarantine, retention raised since',
      { state: 'quarantined', pastRetention: false },
      {},
      {},
      true,
    ],
    ['left behind exported', { state: 'exported' }, {}, {}, true],
    ['verified, not to be dropped', { state: 'verified', due: true }, {}, {}, false],
    ['verified and due', { state: 'verified', due: true }, drop, {}, true],
    ['verified, in its grace period', { state: 'verified', due: false }, drop, {}, false],
    ['verified before its set was to be dropped', { state: 'verified', due: null }, drop, {}, true],
    [
      'verified and due, but this run only archives',
      { state: 'verified', due: true },
      drop,
      { archiveOnly: true },
      false,
    ],
    ['detached, in a run that only drops', {}, drop, { mode: 'drop' }, false],
    ['quarantined, in a run that only drops', { state: 'quarantined' }, drop, { mode: 'drop' }, false],
    [
      'verified and due, in a run that only drops',
      { state: 'verified', due: true },
      drop,
      { mode: 'drop' },
      true,
    ],
  ])('%s', async (_, changes, set, request, expected) => {
    const { partitions } = await look([candidate({ id: 17, ...changes })], request, set);
    expect(partitions).toEqual(expected ? [17] : []);
  });

  test('one that is too young is named, and left alone', async () => {
    const young = candidate({ pastRetention: false, schema: 'App', table: 'young' });
    expect(await look([young])).toEqual({ partitions: [], notDue: ['"App".young'] });
  });
});

test('the sets are taken in the order of the request, the partitions oldest bounds first', async () => {
  const asked: string[] = [];
  const database = fakePort<DetectDatabase>({
    candidates: async ({ table }) => {
      asked.push(table);
      return asked.length === 1 ? [candidate({ id: 9 }), candidate({ id: 3 })] : [candidate({ id: 1 })];
    },
  });
  const log = fakeLog();
  const request = makeRequest({ partitionSets: [0, 1, 99] });
  expect(await detect(request, makeConfig(), { database, log })).toEqual({
    partitions: [9, 3, 1],
    notDue: [],
  });
  expect(asked).toEqual(['event', 'Odd "name']);
  expect(log.lines).toEqual([{ level: 'info', event: 'detect', fields: { partitions: 3, notDue: 0 } }]);
});

test('an inventory finds nothing to do, and asks for nothing', async () => {
  const database = fakePort<DetectDatabase>({});
  const request = makeRequest({ mode: 'inventory' });
  expect(await detect(request, makeConfig(), { database, log: fakeLog() })).toEqual({
    partitions: [],
    notDue: [],
  });
});

const forecast = (index: number): Forecast => ({
  partition: `app.event_p${index}`,
  lowerBound: '2021-01-01',
  upperBound: '2021-02-01',
  attached: false,
  rows: 10,
  bytes: 8192,
  segments: 1,
  keptBy: null,
});

test('a dry run names no partition to work on', async () => {
  const database = fakePort<DetectDatabase>({ forecast: async () => [forecast(1)] });
  const request = makeRequest({ dryRun: true });
  expect(await detect(request, makeConfig(), { database, log: fakeLog() })).toEqual({
    partitions: [],
    notDue: [],
    forecast: [forecast(1)],
    drops: [],
  });
});

// Seen to fail without: truncate and truncateLines. Step Functions ends an execution whose state grows over 256 KiB.
test('twenty years of daily partitions do not outgrow the state of an execution', async () => {
  const days = Array.from({ length: 7305 }, (_, index) => index);
  const long = 'é'.repeat(31);
  const young = days.map((id) => candidate({ id, schema: long, table: long, pastRetention: false }));
  const { notDue } = await look(young);
  expect(Buffer.byteLength(JSON.stringify(notDue))).toBeLessThan(10_000);
  expect(notDue.at(-1)).toBe(`and ${7305 - notDue.length + 1} more`);

  const database = fakePort<DetectDatabase>({ forecast: async () => days.map(forecast) });
  const dry = await detect(makeRequest({ dryRun: true }), makeConfig(), { database, log: fakeLog() });
  expect(Buffer.byteLength(JSON.stringify(dry))).toBeLessThan(40_000);

  const { partitions } = await look(days.map((id) => candidate({ id: 1_000_000 + id })));
  expect(partitions).toHaveLength(7305);
  expect(Buffer.byteLength(JSON.stringify(partitions))).toBeLessThan(64_000);
});

// Seen to fail without the catch around look(): one set ended the run of all.
test('a set that cannot be looked at does not stop the others; without a connection there are none', async () => {
  const broken = new ArchiverError('DatabaseRejected', 'invalid input syntax for type interval');
  const of = (error: Error): Promise<Detection> =>
    detect(makeRequest({ partitionSets: [0, 1] }), makeConfig(), {
      database: fakePort<DetectDatabase>({
        candidates: ({ table }) =>
          table === 'event' ? Promise.reject(error) : Promise.resolve([candidate({ id: 5 })]),
      }),
      log: fakeLog(),
    });
  expect(await of(broken)).toEqual({
    partitions: [5],
    notDue: [],
    brokenSets: [{ partitionSet: 'app.event', error: { code: 'DatabaseRejected', message: broken.message } }],
  });
  const gone = new ArchiverError('DatabaseUnavailable', 'no connection');
  const bug = new TypeError('undefined is not a function');
  await expect(of(gone)).rejects.toBe(gone);
  await expect(of(bug)).rejects.toBe(bug);
});

test('a set that is not configured is no set', async () => {
  const database = fakePort<DetectDatabase>({});
  expect(
    await detect(makeRequest({ partitionSets: [9] }), makeConfig(), { database, log: fakeLog() }),
  ).toEqual({ partitions: [], notDue: [] });
});
