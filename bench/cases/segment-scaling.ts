import { archive } from '../lib/archive.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { shown, table, type Case } from '../lib/result.ts';
import { describeAssumptions, estimate, type Assumptions } from '../lib/scaling.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

const AT_ONCE = [1, 2, 4];

/** Segments in parallel on this machine, and a calculation for larger ones. */
export const segmentScaling: Case = {
  names: ['segment-scaling'],
  run: async (environment) => {
    const rows = environment.quick ? 200_000 : 2_000_000;
    const samples = new Samples();
    let tableBytes = NaN;
    for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      for (const segments of AT_ONCE) {
        const partition = await makeDetached(environment, NARROW, rows);
        const [size] = await environment.sql<{ bytes: string }[]>`
          select pg_table_size(${`${partition.schema}.${partition.table}`}::regclass) as bytes`;
        tableBytes = Number(size?.bytes);
        // Four segments whatever runs at once, so that only the concurrency differs.
        const segmentSizeMiB = Math.ceil(tableBytes / 4 / 2 ** 20);
        await samples.time(String(segments), async () => {
          const times = await archive(environment, NARROW, partition, { segmentSizeMiB, segments });
          if (segments === 1) {
            samples.add('export', (times['export'] ?? NaN) / 1000);
            samples.add('verify', (times['verify'] ?? NaN) / 1000);
          }
        });
      }
    }
    const textMB = (rows * 46) / 1e6;
    const assumptions: Assumptions = {
      exportRate: textMB / samples.median('export'),
      verifyRate: textMB / samples.median('verify'),
      textPerTable: (textMB * 1e6) / tableBytes,
    };
    const estimates = [0.1, 1, 10].flatMap((tableTB) => estimate(tableTB, assumptions));
    return {
      rows: [
        shown(
          'segment-scaling',
          samples.ratio('1', '2'),
          '× as fast with two segments at a time as with one',
        ),
      ],
      figures: [
        `${rows.toLocaleString('en')} narrow rows in four segments on two cores, which database, pooler, object store and archiver share.`,
        '',
        table(
          ['segments at a time', 'seconds', 'as fast as one'],
          AT_ONCE.map((segments) => [
            segments,
            samples.show(String(segments)),
            `${samples.ratio('1', String(segments)).toFixed(2)} ×`,
          ]),
        ),
        '',
        'Calculated for one partition on RDS:',
        '',
        table(
          [
            'table',
            'vCPU',
            'segments',
            'at a time',
            'connections',
            'minutes',
            'child executions',
            'most events in one execution (limit 25,000)',
            'largest payload (limit 256 KiB)',
            'dollars',
            'storage, dollars a month (Standard-IA, uncompressed)',
          ],
          estimates.map((of) => [
            `${of.tableTB} TB`,
            of.vCpu,
            of.segments.toLocaleString('en'),
            of.atOnce,
            of.connections,
            of.minutes.toFixed(0),
            of.childExecutions.toLocaleString('en'),
            of.mostEvents,
            `${of.payloadKiB.toFixed(1)} KiB`,
            of.dollars.toFixed(2),
            of.storageDollarsAMonth.toFixed(0),
          ]),
        ),
        '',
        `Assumptions: ${describeAssumptions(assumptions)}`,
      ].join('\n'),
    };
  },
};
