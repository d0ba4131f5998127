import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { convertApart, textFile } from '../lib/convert.ts';
import { atMost, table, type Case } from '../lib/result.ts';

const NARROW = [
  { name: 'id', type: 'integer' },
  { name: 'body', type: 'text' },
];
const TWELVE = [
  ...NARROW,
  { name: 'at', type: 'timestamp with time zone' },
  { name: 'actor', type: 'uuid' },
  { name: 'kind', type: 'text' },
  { name: 'path', type: 'text' },
  { name: 'amount', type: 'double precision' },
  { name: 'details', type: 'jsonb' },
  { name: 'price', type: 'numeric(18,4)' },
  { name: 'day', type: 'date' },
  { name: 'bytes', type: 'bytea' },
  { name: 'done', type: 'boolean' },
];

/** Rows of each kind, once and ten times: memory depends on neither. */
const KINDS = [
  { name: '20 bytes', source: NARROW, rows: 2_000_000, line: (row: number) => narrowLine(row, 20) },
  { name: '10 kB', source: NARROW, rows: 5_000, line: (row: number) => narrowLine(row, 10_000) },
  { name: '12 columns, 330 bytes', source: TWELVE, rows: 150_000, line: wideLine },
] as const;

/** The most memory of a process that converts. */
export const convertMemory: Case = {
  names: ['convert-memory', 'convert-memory-growth'],
  withoutSets: true,
  run: async (environment) => {
    const measured: [string, number, number][] = [];
    for (const { name, source, rows, line } of KINDS) {
      const most: number[] = [];
      for (const times of [1, 10]) {
        const path = join(environment.directory, 'memory.tsv');
        const count = Math.ceil((rows * times) / (environment.quick ? 10 : 1));
        await pipeline(lines(count, line), createWriteStream(path));
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

function* lines(rows: number, line: (row: number) => string): Generator<string> {
  let batch = '';
  for (let row = 0; row < rows; row += 1) {
    batch += line(row);
    if (batch.length > 65_536) {
      yield batch;
      batch = '';
    }
  }
  yield batch;
}

let seed = 1;
/** So many letters and digits, of which no two are alike. */
function noise(length: number): string {
  let text = '';
  while (text.length < length) {
    seed = (seed * 48_271) % 2_147_483_647;
    text += seed.toString(36);
  }
  return text.slice(0, length);
}

/** A row of about so many bytes. */
const narrowLine = (row: number, bytes: number): string =>
  `${String(row)}\t${noise(bytes - String(row).length - 1)}\n`;

const hexadecimal = (length: number): string =>
  Array.from({ length: length / 8 }, () => {
    noise(1);
    return seed.toString(16).padStart(8, '0');
  }).join('');

function wideLine(row: number): string {
  const uuid = hexadecimal(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const day = `2021-01-${String(1 + (row % 28)).padStart(2, '0')}`;
  return `${[
    row,
    noise(20),
    `${day} 10:00:00.${String(row % 1_000_000).padStart(6, '0')}`.replace(/\.?0+$/, '') + '+00',
    uuid,
    `kind ${String(row % 50)}`,
    `/${hexadecimal(32)}/${hexadecimal(32)}`,
    (row % 1000) / 8,
    `{"session": "${noise(32)}", "agent": "Mozilla/5.0 (X11; Linux x86_64)", "status": ${String(row % 600)}}`,
    ((row % 100_000) / 100).toFixed(4),
    day,
    `\\\\x${hexadecimal(16)}`,
    row % 2 === 0 ? 't' : 'f',
  ].join('\t')}\n`;
}
