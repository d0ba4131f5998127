import { expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import { exportSegment, type ExportDatabase } from '../../../core/archive/export.ts';
import { fakeLog, fakePort } from '../../support/fakes.ts';

const TO = { bucket: 'archive', region: 'eu-central-1' };

function work(database: Partial<ExportDatabase>) {
  const log = fakeLog();
  const port = fakePort<ExportDatabase>(database);
  return { done: exportSegment(7, 3, TO, { database: port, log }), log };
}

test('a segment is exported into the configured bucket, and nowhere else', async () => {
  const calls: unknown[] = [];
  const { done, log } = work({
    exportSegment: async (...parameters) => {
      calls.push(parameters);
      return { kind: 'exported', rows: 5, files: 1, bytes: 50 };
    },
  });
  expect(await done).toEqual({ exported: true });
  expect(calls).toEqual([[7, 3, TO]]);
  expect(log.lines).toMatchObject([
    { event: 'export', fields: { partitionId: 7, segmentNumber: 3, rows: 5 } },
  ]);
});

test('one that an earlier call had exported is not exported again', async () => {
  expect(await work({ exportSegment: async () => ({ kind: 'already' }) }).done).toEqual({ exported: true });
});

test.each([
  ['timed-out', false],
  ['too-large', true],
] as const)('one that is %s is split, and not exported as half of it', async (kind, isTooLarge) => {
  const split: unknown[] = [];
  const { done, log } = work({
    exportSegment: async () => ({ kind }),
    splitSegment: async (...parameters) => {
      split.push(parameters);
      return 12;
    },
  });
  expect(await done).toEqual({ exported: false });
  expect(split).toEqual([[7, 3, isTooLarge]]);
  expect(log.lines).toEqual([
    { level: 'warn', event: 'segment split', fields: { partitionId: 7, segmentNumber: 3, upper: 12 } },
  ]);
});

test('a single block that is too large ends in the error that blocks the partition', async () => {
  const tooLarge = new ArchiverError('BlockTooLarge', 'block 0 of partition 7 alone is too large');
  const { done } = work({
    exportSegment: async () => ({ kind: 'timed-out' }),
    splitSegment: () => Promise.reject(tooLarge),
  });
  await expect(done).rejects.toBe(tooLarge);
});

test('any other failure splits nothing', async () => {
  const busy = new ArchiverError('SegmentBusy', 'an earlier call still runs');
  await expect(work({ exportSegment: () => Promise.reject(busy) }).done).rejects.toBe(busy);
});
