import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Meter, showBytes, showDuration } from '../../../bin/archive/terminal/meter.ts';
import { commandProgress } from '../../../bin/archive/terminal/progress.ts';
import {
  auditWatcher,
  convertWatcher,
  partitionTableWatcher,
  restoreWatcher,
  reverifyWatcher,
  runWatcher,
} from '../../../bin/archive/terminal/watchers.ts';
import type { Watcher } from '../../../bin/archive/terminal/progress.ts';
import { silentLog } from '../../../core/ports.ts';

const GIB = 2 ** 30;

type Event = readonly [event: string, fields: Readonly<Record<string, unknown>>];

/** The line after each event, of which each comes ten seconds after the one before. */
function linesOf(watcher: Watcher, events: readonly Event[], expected = 0): (string | null)[] {
  let now = 0;
  const meter = new Meter(() => now);
  meter.expect(expected);
  return events.map(([event, fields]) => {
    now += 10_000;
    watcher(meter, event, fields);
    return meter.line();
  });
}

describe('the line of', () => {
  test('run: bytes of tables, by segments, one of which was split', () => {
    const sizes = new Map([
      [1, 3 * GIB],
      [2, GIB],
    ]);
    const verified = (partitionId: number): Event => ['verify', { partitionId, rows: 1000, bytes: 2 ** 20 }];
    expect(
      linesOf(
        runWatcher(sizes),
        [
          ['maintain', {}],
          ['quarantine', { partitionId: 1, segments: 2 }],
          ['segment split', { partitionId: 1 }],
          verified(1),
          ['quarantine', { partitionId: 2, segments: 1 }],
          verified(2),
          verified(1),
          verified(1),
        ],
        4 * GIB,
      ).slice(3),
    ).toEqual([
      'archiving  25 %  1,000 rows  1.0 MiB  2 min left',
      'archiving  25 %  1,000 rows  1.0 MiB  3 min left',
      'archiving  50 %  2,000 rows  2.0 MiB  60 s left',
      'archiving  75 %  3,000 rows  3.0 MiB  24 s left',
      'archiving  100 %  4,000 rows  4.0 MiB',
    ]);
  });

  test('restore: rows that are imported and proven; an archive that is waited for counts once', () => {
    expect(
      linesOf(restoreWatcher(), [
        ['retrieve', { manifest: 'a', rows: 100 }],
        ['retrieve', { manifest: 'a', rows: 100 }],
        ['import', { rows: 100 }],
        ['build', {}],
        ['prove', { rows: 100, bytes: 5000 }],
      ]),
    ).toEqual([
      'restoring  0 %',
      'restoring  0 %',
      'restoring  50 %  100 rows  30 s left',
      'building keys and indexes  50 %  100 rows  40 s left',
      'proving  100 %  100 rows  4.9 KiB',
    ]);
  });

  test('partition-table: copied and compared; one that was copied before begins at the half', () => {
    const bytes = 8192 * 1000;
    const begun: Event = ['partitioning', {}];
    expect(
      linesOf(partitionTableWatcher(bytes, bytes / 2), [
        begun,
        ['copied', { blocksLeft: 500 }],
        ['copied', { blocksLeft: 0 }],
        ['compared', { comparedTo: '2026-07-01', rows: 40 }],
        ['compared', { comparedTo: null, rows: 70 }],
      ]).slice(1),
    ).toEqual([
      'copying  25 %  3.9 MiB  60 s left',
      'copying  50 %  7.8 MiB  30 s left',
      'comparing  75 %  40 rows  7.8 MiB  14 s left',
      'comparing  100 %  70 rows  7.8 MiB',
    ]);
    expect(
      linesOf(partitionTableWatcher(bytes, bytes / 4), [
        begun,
        ['compared', { comparedTo: 'x', rows: 9 }],
      ])[1],
    ).toBe('comparing  62 %  9 rows  12 s left');
  });

  test('audit, convert and reverify: bytes of archived text', () => {
    const audited = { expectedBytes: 50, rows: 5, bytes: 50 };
    expect(
      linesOf(auditWatcher, [
        ['audit begin', { bytes: 100 }],
        ['audit segment', audited],
      ])[1],
    ).toBe('auditing  50 %  5 rows  50 bytes  20 s left');
    expect(
      linesOf(
        convertWatcher,
        [
          ['convert', { what: 'written', rows: 5, bytes: 50 }],
          ['convert', { what: 'proven', rows: 5, bytes: 50 }],
        ],
        200,
      ),
    ).toEqual(['converting  25 %  30 s left', 'converting  50 %  5 rows  50 bytes  20 s left']);
    expect(
      linesOf(reverifyWatcher, [
        ['reverify begin', { bytes: 100 }],
        ['reverify segment', { rows: 1, bytes: 25 }],
      ])[1],
    ).toBe('verifying again  25 %  1 row  25 bytes  60 s left');
  });
});

describe('on a terminal', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const streamOf = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, isTTY, columns: 24, write: (text: string) => written.push(text) };
  };

  test('the line fits, goes away before something else is printed, and is gone at the end', () => {
    const stream = streamOf(true);
    const { progress, log } = commandProgress(stream, silentLog, true);
    progress.watch(auditWatcher);
    log.info('audit begin', { bytes: 1000 });
    log.info('audit segment', { expectedBytes: 10, rows: 123_456, bytes: 10 });
    jest.advanceTimersByTime(3_000);
    const lines = stream.written.map((text) => text.replace('\r\u001b[2K', ''));
    expect(lines.filter((line) => line.length > 23)).toEqual([]);
    expect(lines.at(-1)).toMatch(/^auditing.*left$/);
    progress.clear();
    expect(stream.written.at(-1)).toBe('\r\u001b[2K');
    progress.end();
    const count = stream.written.length;
    jest.advanceTimersByTime(10_000);
    log.info('audit segment', {});
    expect(stream.written).toHaveLength(count);
  });

  // Seen to fail without the look at isTTY in commandProgress().
  test.each([
    ['a pipe', false, true],
    ['--log', true, false],
  ])('%s gets no line, and the log as before', (_, isTTY, isWanted) => {
    const stream = streamOf(isTTY);
    const events: string[] = [];
    const { progress, log } = commandProgress(
      stream,
      { ...silentLog, info: (event) => events.push(event) },
      isWanted,
    );
    progress.watch(auditWatcher);
    log.info('audit begin', { bytes: 1000 });
    progress.clear();
    progress.end();
    expect([stream.written, events, progress.isShown]).toEqual([[], ['audit begin'], false]);
  });
});

test('numbers are shown in their own units', () => {
  expect([0, 999, 1024, 150 * 2 ** 20, 2 ** 41].map(showBytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.0 KiB',
    '150 MiB',
    '2.0 TiB',
  ]);
  expect([1, 89_000, 91_000, 5_400_000, 12_000_000].map(showDuration)).toEqual([
    '1 s',
    '89 s',
    '2 min',
    '1 h 30 min',
    '3 h 20 min',
  ]);
});
