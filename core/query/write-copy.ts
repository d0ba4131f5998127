import { ArchiverError } from '../errors.ts';
import { CopyTextParser } from './copy-text.ts';
import { mapColumns, type CopyColumn, type SourceColumn } from './parquet-map.ts';
import type { CopyDisk } from './ports.ts';
import { proveCopy, type ExpectedText } from './proof.ts';

/** A segment of an archive: where its text comes from, and what the manifest says of it. */
export interface SegmentText extends ExpectedText {
  readonly number: number;
  /** Reads the text from its beginning; of several objects, one behind the other. */
  read(): AsyncIterable<Buffer>;
}

/** A proven copy of a segment, on the local disk. */
export interface WrittenSegment {
  readonly number: number;
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly lineHashSum: string;
}

/** What copies are written with. */
export interface WriteOptions {
  readonly source: readonly SourceColumn[];
  /** Name of the local file of a segment. */
  readonly fileOf: (segment: number) => string;
  /** What the footer of each file says besides. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly progress?: ((what: 'written' | 'proven', segment: SegmentText) => void) | undefined;
}

/** Text of a row group. Twice as much makes files that are no smaller, and takes twice the memory. */
const ROW_GROUP_BYTES = 16 * 1024 * 1024;

/**
 * Writes the copies of all segments to the local disk and proves each. All of them have the same columns: where one
 * segment has a value that its column cannot hold, all are written again with that column as text.
 */
export async function writeCopy(
  segments: readonly SegmentText[],
  { source, fileOf, metadata, progress }: WriteOptions,
  disk: CopyDisk,
): Promise<{ readonly columns: readonly CopyColumn[]; readonly files: readonly WrittenSegment[] }> {
  if (source.length === 0) throw new ArchiverError('CopyRefused', 'the archive has no columns');
  const fallbacks = new Map<string, string>();
  for (;;) {
    const columns = mapColumns(source, fallbacks);
    const files: WrittenSegment[] = [];
    const found = new Map<string, string>();
    for (const segment of segments) {
      const written = await writeProven(segment, columns, { fileOf, metadata, progress }, found, disk);
      if (written !== null) files.push(written);
    }
    if (found.size === 0) return { columns, files };
    for (const [name, reason] of found) fallbacks.set(name, reason);
  }
}

/**
 * Writes the copy of one segment to the local disk and proves it. Returns `null`, and leaves no file, where a column has to
 * be text: `fallbacks` then has it, with the reason.
 */
export async function writeProven(
  segment: SegmentText,
  columns: readonly CopyColumn[],
  { fileOf, metadata, progress }: Omit<WriteOptions, 'source'>,
  fallbacks: Map<string, string>,
  disk: CopyDisk,
): Promise<WrittenSegment | null> {
  const file = fileOf(segment.number);
  const written = await writeSegment(segment, columns, file, metadata, fallbacks, disk);
  if (written === null) return null;
  progress?.('written', segment);
  await prove(segment, columns, { name: file, sha256: written.sha256 }, disk);
  progress?.('proven', segment);
  const { number, rows, lineHashSum } = segment;
  return { number, file, rows, lineHashSum, ...written };
}

/** Writes one segment; only looks through it, and returns `null`, once a column is known that has to be text. */
async function writeSegment(
  segment: SegmentText,
  columns: readonly CopyColumn[],
  name: string,
  metadata: Readonly<Record<string, string>>,
  fallbacks: Map<string, string>,
  disk: CopyDisk,
): Promise<{ readonly bytes: number; readonly sha256: string } | null> {
  const file = disk.create(name, columns, metadata);
  try {
    const parser = new CopyTextParser(
      columns,
      (values, rows) => {
        if (fallbacks.size === 0) file.rowGroup(values, rows);
      },
      ROW_GROUP_BYTES,
    );
    for await (const chunk of segment.read()) parser.push(chunk);
    parser.end();
    for (const [column, reason] of parser.fallbacks) fallbacks.set(column, reason);
  } catch (error) {
    file.cancel();
    disk.remove(name);
    throw error;
  }
  if (fallbacks.size === 0) return file.finish();
  file.cancel();
  disk.remove(name);
  return null;
}

/** Reads the file back from the disk, and removes one that is not the text. */
async function prove(
  segment: SegmentText,
  columns: readonly CopyColumn[],
  { name, sha256 }: { readonly name: string; readonly sha256: string },
  disk: CopyDisk,
): Promise<void> {
  let differences: readonly string[] = [];
  const file = await disk.open(name, sha256);
  try {
    const verdict = proveCopy(file, columns, segment);
    if (verdict.kind === 'different') ({ differences } = verdict);
  } finally {
    file.close();
  }
  if (differences.length === 0) return;
  disk.remove(name);
  throw new ArchiverError('CopyNotProven', `segment ${segment.number}: ${differences.join('; ')}`);
}
