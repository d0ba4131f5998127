import { memoryOfExecution } from '../lib/lambdas.ts';
import { median } from '../lib/measure.ts';
import { atMost, table, type Case, type ResultRow } from '../lib/result.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

const MOST_MIB = 256;
const MOST_GROWTH = 1.1;

/** Memory of every Lambda while a partition goes through the state machine, as one segment; then ten times as large. */
export const lambdaMemory: Case = {
  names: ['lambda-memory'],
  run: async (environment) => {
    const most = environment.quick ? 200_000 : NARROW.rows;
    const sizes = [Math.round(most / 10), most];
    const rounds = environment.quick ? 1 : 3;
    const peaks: Map<string, number>[] = [];
    for (const rows of sizes) {
      const found = new Map<string, number[]>();
      for (let round = 1; round <= rounds; round += 1) {
        await makeDetached(environment, NARROW, rows);
        for (const [state, mib] of await memoryOfExecution(environment)) {
          found.set(state, [...(found.get(state) ?? []), mib]);
        }
      }
      peaks.push(new Map([...found].map(([state, values]) => [state, median(values)])));
    }
    const [small = new Map<string, number>(), large = new Map<string, number>()] = peaks;
    const peak = Math.max(...large.values());
    const growth = Math.max(...[...large].map(([state, mib]) => mib / (small.get(state) ?? NaN)));
    const row: ResultRow = {
      ...atMost('lambda-memory', peak, MOST_MIB, 'MiB'),
      goal: `<= ${MOST_MIB}, and <= ${MOST_GROWTH} × for 10 × the rows`,
      met: peak <= MOST_MIB && growth <= MOST_GROWTH,
    };
    return {
      rows: [row],
      figures: [
        `Most memory (VmHWM) of each Lambda's process, MiB, medians of ${rounds}; its own bundle, one segment. For 10 × the rows the largest growth is ${growth.toFixed(2)} ×. Of each, an empty Node.js process has about 45 MiB.`,
        '',
        table(
          ['Lambda', ...sizes.map((rows) => `${rows.toLocaleString('en')} rows`)],
          [...large].map(([state, mib]) => [state, (small.get(state) ?? NaN).toFixed(0), mib.toFixed(0)]),
        ),
      ].join('\n'),
    };
  },
};
