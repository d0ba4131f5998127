import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { copyDisk } from '../../adapters/parquet/disk.ts';
import type { CopyColumn, SourceColumn } from '../../core/query/parquet-map.ts';
import type { ExpectedText } from '../../core/query/proof.ts';
import { writeCopy, type SegmentText } from '../../core/query/write-copy.ts';
import { LineDigester } from '../../core/proof/line-digest.ts';

/** A folder of a test file that is removed after its last test. */
export function useDirectory(): () => string {
  const directory = mkdtempSync(join(tmpdir(), 'copies-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return () => directory;
}

/** What a manifest would say of a text. */
export function expectedOf(text: Buffer): ExpectedText {
  const digester = new LineDigester();
  digester.update(text);
  return digester.digest();
}

/** A text as the segment of an archive, handed over in pieces of `piece` bytes. */
export function segmentOf(text: Buffer, number = 0, piece = 65_536): SegmentText {
  return {
    number,
    ...expectedOf(text),
    read: async function* () {
      for (let at = 0; at < text.length; at += piece) yield text.subarray(at, at + piece);
    },
  };
}

/** The proven copy of some text. */
export async function makeCopy(
  directory: string,
  source: readonly SourceColumn[],
  segments: readonly SegmentText[],
): Promise<{ readonly columns: readonly CopyColumn[]; readonly paths: readonly string[] }> {
  const id = Math.random().toString(36).slice(2);
  const { columns, files } = await writeCopy(
    segments,
    {
      source,
      fileOf: (segmentNumber) => `${id}-${String(segmentNumber)}.parquet`,
      metadata: { archive: id },
    },
    copyDisk(directory, 'test'),
  );
  return { columns, paths: files.map(({ file }) => join(directory, file)) };
}
