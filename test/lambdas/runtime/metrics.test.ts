import { describe, expect, test } from '@jest/globals';
import { RUN_METRICS, SET_METRICS } from '../../../core/config/metrics.ts';
import type { SetProgress } from '../../../core/archive/progress.ts';
import { embeddedMetrics } from '../../../lambdas/runtime/metrics.ts';

const NOW = new Date('2026-11-01T03:10:00Z');

const PROGRESS: SetProgress = {
  attached: 13,
  waiting: 2,
  verified: 3,
  due: 1,
  blocked: 1,
  dropped: 20,
  overdueDays: 12.5,
  daysSinceRun: 0.25,
  attachedBytes: 5_000,
  archivedBytes: 40_000,
  freedBytes: 30_000,
  rowsInDefault: true,
  futurePartitions: 4,
};

function linesOf(publish: (metrics: ReturnType<typeof embeddedMetrics>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  publish(
    embeddedMetrics(
      'Shop/Archiver',
      () => NOW,
      (line) => lines.push(line),
    ),
  );
  // CloudWatch reads one object a line.
  for (const line of lines) expect(line).not.toContain('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What CloudWatch makes of a line: every metric it names must be a member, a number, and have a known unit. */
function metricsOf(line: Record<string, unknown>): string[] {
  const { _aws } = line as {
    _aws: {
      Timestamp: number;
      CloudWatchMetrics: {
        Namespace: string;
        Dimensions: string[][];
        Metrics: { Name: string; Unit: string }[];
      }[];
    };
  };
  expect(_aws.Timestamp).toBe(NOW.getTime());
  return _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
    for (const name of Dimensions.flat()) expect(typeof line[name]).toBe('string');
    for (const { Name, Unit } of Metrics) {
      expect(typeof line[Name]).toBe('number');
      expect(['Count', 'Bytes', 'Seconds', 'None']).toContain(Unit);
    }
    return Metrics.map(({ Name }) => `${Namespace} ${Name}`);
  });
}

describe('the embedded metrics', () => {
  test('of a run are one line that CloudWatch understands', () => {
    const [line, ...more] = linesOf((metrics) => {
      metrics.run({ archived: 2, dropped: 1, failed: 0, rows: 40_000, bytes: 1_000_000, seconds: 61 });
    });
    expect(more).toEqual([]);
    expect(metricsOf(line!)).toEqual(Object.keys(RUN_METRICS).map((name) => `PartitionArchiver ${name}`));
    expect(line).toMatchObject({ Archiver: 'Shop/Archiver', PartitionsArchived: 2, RowsArchived: 40_000 });
  });

  test('of a set are published for the set and for the archiver as a whole', () => {
    const [line] = linesOf((metrics) => {
      metrics.partitionSet('public.orders', PROGRESS);
    });
    expect(metricsOf(line!)).toEqual(Object.keys(SET_METRICS).map((name) => `PartitionArchiver ${name}`));
    expect(line).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Dimensions: [['Archiver'], ['Archiver', 'PartitionSet']] }] },
      PartitionSet: 'public.orders',
      BlockedPartitions: 1,
      OverdueDays: 12.5,
      RowsInDefault: 1,
    });
  });

  // Seen to fail without: the filter of names. A null is no number, and CloudWatch would refuse the line.
  test('leave out what is not known of an id set', () => {
    const [line] = linesOf((metrics) => {
      metrics.partitionSet('public.events', { ...PROGRESS, overdueDays: null, futurePartitions: null });
    });
    const names = metricsOf(line!);
    expect(names).not.toContain('PartitionArchiver OverdueDays');
    expect(names).not.toContain('PartitionArchiver FuturePartitions');
    expect(line).not.toHaveProperty('OverdueDays');
  });
});
