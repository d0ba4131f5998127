import type { ExportWay } from '../../core/config/partition-set.ts';
import type { Environment } from '../lib/environment.ts';
import { usageOfExecution, type Usage } from '../lib/lambdas.ts';
import { median } from '../lib/measure.ts';
import { atMost, table, type Case, type ResultRow } from '../lib/result.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

const MOST_MIB = 256;
const MOST_GROWTH = 1.1;

/** Memory of every Lambda while a partition goes through the state machine, as one segment; then ten times as large. */
export const lambdaMemory: Case = {
  names: ['lambda-memory'],
  run: async (environment) => {
    const memory = await measure(environment, 'aws_s3');
    const peak = Math.max(...memory.large.values());
    const row: ResultRow = {
      ...atMost('lambda-memory', peak, MOST_MIB, 'MiB'),
      goal: `<= ${MOST_MIB}, and <= ${MOST_GROWTH} × for 10 × the rows`,
      met: peak <= MOST_MIB && memory.growth <= MOST_GROWTH,
    };
    return { rows: [row], figures: describe(memory) };
  },
};

const MOST_STREAM_MIB = 160;
const MOST_STREAM_GROWTH = 1.05;
const STREAMING = ['Stream', 'Verify'];

/** The same where the segment is streamed, of the two functions that it goes through. */
export const streamMemory: Case = {
  names: ['stream-memory'],
  run: async (environment) => {
    const memory = await measure(environment, 'stream');
    const peak = Math.max(...STREAMING.map((state) => memory.large.get(state) ?? NaN));
    const growth = Math.max(
      ...STREAMING.map((state) => (memory.large.get(state) ?? NaN) / (memory.small.get(state) ?? NaN)),
    );
    const row: ResultRow = {
      ...atMost('stream-memory', peak, MOST_STREAM_MIB, 'MiB'),
      goal: `<= ${MOST_STREAM_MIB}, and <= ${MOST_STREAM_GROWTH} × for 10 × the rows`,
      met: peak <= MOST_STREAM_MIB && growth <= MOST_STREAM_GROWTH,
    };
    return { rows: [row], figures: describe(memory) };
  },
};

interface Memory {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** MiB by state, at the two sizes. */
  readonly small: ReadonlyMap<string, number>;
  readonly large: ReadonlyMap<string, number>;
  /** The largest of one over the other. */
  readonly growth: number;
  /** Seconds of CPU by state, at the two sizes. */
  readonly cpu: readonly ReadonlyMap<string, number>[];
}

async function measure(environment: Environment, way: ExportWay): Promise<Memory> {
  const most = environment.quick ? 200_000 : NARROW.rows;
  const sizes = [Math.round(most / 10), most];
  const rounds = environment.quick ? 1 : 3;
  const peaks: Map<string, number>[] = [];
  const cpu: Map<string, number>[] = [];
  for (const rows of sizes) {
    const found = new Map<string, Usage[]>();
    for (let round = 1; round <= rounds; round += 1) {
      await makeDetached(environment, NARROW, rows);
      for (const [state, usage] of await usageOfExecution(environment, way)) {
        found.set(state, [...(found.get(state) ?? []), usage]);
      }
    }
    const medians = (of: (usage: Usage) => number) =>
      new Map([...found].map(([state, usages]) => [state, median(usages.map(of))]));
    peaks.push(medians(({ mib }) => mib));
    cpu.push(medians(({ cpuSeconds }) => cpuSeconds));
  }
  const [small = new Map<string, number>(), large = new Map<string, number>()] = peaks;
  const growth = Math.max(...[...large].map(([state, mib]) => mib / (small.get(state) ?? NaN)));
  return { sizes, rounds, small, large, growth, cpu };
}

function describe({ sizes, rounds, small, large, growth, cpu }: Memory): string {
  return [
    `Most memory (VmHWM) of each Lambda's process, MiB, medians of ${rounds}; its own bundle, one segment. For 10 × the rows the largest growth is ${growth.toFixed(2)} ×. Of each, an empty Node.js process has about 45 MiB.`,
    '',
    table(
      [
        'Lambda',
        ...sizes.map((rows) => `${rows.toLocaleString('en')} rows`),
        ...sizes.map((rows) => `CPU seconds, ${rows.toLocaleString('en')} rows`),
      ],
      [...large].map(([state, mib]) => [
        state,
        (small.get(state) ?? NaN).toFixed(0),
        mib.toFixed(0),
        ...cpu.map((seconds) => (seconds.get(state) ?? NaN).toFixed(2)),
      ]),
    ),
  ].join('\n');
}
