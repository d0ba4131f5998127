import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { convertApart, textFile } from '../lib/convert.ts';
import { atMost, table, type Case } from '../lib/result.ts';

/** Rows of each width, once and ten times: memory depends on neither. */
const WIDTHS = [
  { name: '20 bytes', bytes: 20, rows: 2_000_000 },
  { name: '10 kB', bytes: 10_000, rows: 5_000 },
] as const;

/** The most memory of a process that converts. */
export const convertMemory: Case = {
  names: ['convert-memory', 'convert-memory-growth'],
  run: async (environment) => {
    const measured: [string, number, number][] = [];
    for (const { name, bytes, rows } of WIDTHS) {
      const most: number[] = [];
      for (const times of [1, 10]) {
        const path = join(environment.directory, 'memory.tsv');
        const count = Math.ceil((rows * times) / (environment.quick ? 10 : 1));
        await pipeline(lines(count, bytes), createWriteStream(path));
        const source = [
          { name: 'id', type: 'integer' },
          { name: 'body', type: 'text' },
        ];
        const { rssMiB } = await convertApart(environment, await textFile(path, source), 'ours');
        most.push(rssMiB);
        rmSync(path);
      }
      measured.push([name, most[0] ?? 0, most[1] ?? 0]);
    }
    return {
      rows: [
        atMost('convert-memory', Math.max(...measured.flatMap(([, once, ten]) => [once, ten])), 256, 'MiB'),
        atMost('convert-memory-growth', Math.max(...measured.map(([, once, ten]) => ten / once)), 1.1),
      ],
      figures: table(
        ['rows of', 'most memory, MiB', 'of ten times the rows'],
        measured.map(([name, once, ten]) => [name, once.toFixed(0), ten.toFixed(0)]),
      ),
    };
  },
};

/** Lines of about so many bytes, of which no two are alike. */
function* lines(rows: number, bytes: number): Generator<string> {
  let batch = '';
  let seed = 1;
  for (let row = 0; row < rows; row += 1) {
    let line = `${String(row)}\t`;
    while (line.length < bytes) {
      seed = (seed * 48_271) % 2_147_483_647;
      line += seed.toString(36);
    }
    batch += `${line.slice(0, bytes)}\n`;
    if (batch.length > 65_536) {
      yield batch;
      batch = '';
    }
  }
  yield batch;
}
