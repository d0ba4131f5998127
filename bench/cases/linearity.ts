import { archive } from '../lib/archive.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** Time per row as partitions grow, the fixed cost of a partition told apart by one with a single row. */
export const linearity: Case = {
  names: ['linearity'],
  run: async (environment) => {
    const unit = environment.quick ? 10_000 : 100_000;
    const factors = [1, 10, 50];
    const samples = new Samples();
    for (let round = 1; round <= (environment.quick ? 1 : ROUNDS); round += 1) {
      // Small ones are over soon, and a difference of a few milliseconds would count: so more of them.
      for (const rows of [1, unit, 1, unit, 1, unit, ...factors.slice(1).map((factor) => factor * unit)]) {
        const partition = await makeDetached(environment, NARROW, rows);
        // One segment: several run at a time, and the second core would make large ones look cheap.
        await samples.time(String(rows), () =>
          archive(environment, NARROW, partition, { segmentSizeMiB: 3072, segments: 1 }),
        );
      }
    }
    const fixed = samples.median('1');
    const perRow = factors.map((factor) => (samples.median(String(factor * unit)) - fixed) / (factor * unit));
    const [first = NaN, ...others] = perRow;
    return {
      rows: [atMost('linearity', Math.max(...others) / first, 1.05)],
      figures: [
        `The fixed cost of a partition, measured with a single row: ${samples.show('1')} s.`,
        '',
        table(
          ['rows', 'seconds', 'µs a row, fixed cost apart'],
          factors.map((factor, index) => [
            (factor * unit).toLocaleString('en'),
            samples.show(String(factor * unit)),
            ((perRow[index] ?? NaN) * 1e6).toFixed(2),
          ]),
        ),
      ].join('\n'),
    };
  },
};
