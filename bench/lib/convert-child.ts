/**
 * Converts one file of COPY text in a process of its own, so that its CPU time and its memory are told: ours with the proof,
 * or DuckDB, one thread, which proves nothing. Prints one line of JSON.
 */
import { createReadStream, statSync } from 'node:fs';
import { duckDbConvert } from './convert-duckdb.ts';
import { copyDisk } from '../../adapters/parquet/disk.ts';
import type { SourceColumn } from '../../core/query/parquet-map.ts';
import type { ExpectedText } from '../../core/query/proof.ts';
import { writeCopy } from '../../core/query/write-copy.ts';

/** What the parent asks for. */
export interface ChildTask {
  readonly how: 'ours' | 'duckdb';
  readonly source: readonly SourceColumn[];
  readonly text: string;
  readonly directory: string;
  readonly name: string;
  readonly expected: ExpectedText;
}

const CHUNK_BYTES = 256 * 1024;

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
const { how, source, text, directory, name, expected } = task;
const start = process.cpuUsage();
if (how === 'ours') {
  const read = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of createReadStream(text, { highWaterMark: CHUNK_BYTES })) yield chunk as Buffer;
  };
  const segment = { number: 0, ...expected, read };
  await writeCopy([segment], { source, fileOf: () => name, metadata: {} }, copyDisk(directory, 'bench'));
} else await duckDbConvert(source, text, `${directory}/${name}`);
const { user, system } = process.cpuUsage(start);
const report = {
  cpu: (user + system) / 1e6,
  rssMiB: process.resourceUsage().maxRSS / 1024,
  bytes: statSync(`${directory}/${name}`).size,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
