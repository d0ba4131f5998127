import { execFile } from 'node:child_process';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SourceColumn } from '../../core/query/parquet-map.ts';
import type { ExpectedText } from '../../core/query/proof.ts';
import { LineDigester } from '../../core/proof/line-digest.ts';
import type { ChildTask } from './convert-child.ts';
import type { Environment } from './environment.ts';

const run = promisify(execFile);

/** What converting took. */
export interface Converted {
  /** Seconds of one processor. */
  readonly cpu: number;
  readonly rssMiB: number;
  readonly bytes: number;
}

/** A file of COPY text, and what its manifest would say. */
export interface TextFile {
  readonly path: string;
  readonly source: readonly SourceColumn[];
  readonly expected: ExpectedText;
  readonly bytes: number;
}

/** Digests a file of COPY text, once. */
export async function textFile(path: string, source: readonly SourceColumn[]): Promise<TextFile> {
  const digester = new LineDigester();
  for await (const chunk of createReadStream(path)) digester.update(chunk as Buffer);
  return { path, source, expected: digester.digest(), bytes: statSync(path).size };
}

/** The columns of a `create table`. */
export const columnsOf = (definition: string): SourceColumn[] =>
  definition.split(/,\s+(?=[a-z_]+ )/).map((column) => {
    const [, name = '', type = ''] = /^\s*(\w+) (.+?)(?: not null)?\s*$/.exec(column) ?? [];
    return { name, type: TYPES[type] ?? type };
  });

/** As format_type() has them. */
const TYPES: Readonly<Record<string, string>> = {
  'timestamp(0)': 'timestamp(0) without time zone',
  timestamptz: 'timestamp with time zone',
};

/** Converts in a process of its own. The flags are those of the local command. */
export async function convertApart(
  { directory }: Pick<Environment, 'directory'>,
  { path, source, expected }: TextFile,
  how: ChildTask['how'],
): Promise<Converted> {
  const task: ChildTask = { how, source, text: path, directory, name: `${how}.parquet`, expected };
  const script = join(import.meta.dirname, 'convert-child.ts');
  const { stdout } = await run(process.execPath, ['--max-semi-space-size=1', script, JSON.stringify(task)]);
  return JSON.parse(stdout) as Converted;
}
