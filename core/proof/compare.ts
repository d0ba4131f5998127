import { counted } from '../counted.ts';
import { type LineDigest, LineDigester } from './line-digest.ts';
import { Utf8Check } from './utf8.ts';

/** What is wrong with an archive, without the table. */
export const NOT_UTF8 = 'it is not UTF-8, so that COPY would not read it back';
export const NOT_ENDED = 'the last line has no end';

/** Whether an archive holds what the table holds. */
export type Verdict =
  | { readonly kind: 'match'; readonly digest: LineDigest; readonly orderDiffers: boolean }
  | { readonly kind: 'mismatch'; readonly differences: readonly string[] };

/**
 * Compares two streams of COPY text, one out of the table and one out of the archive, byte for byte and in constant
 * memory. Up to the first difference the bytes are the same, so one digest serves both sides; from there on each side
 * has its own. Where only the order of the lines differs, the sums of the line hashes decide: against chance, not against
 * the writer of the archive (`compareContents` sees to that).
 * An exception means that no verdict was reached.
 */
export async function compareStreams(
  table: AsyncIterable<Buffer>,
  archive: AsyncIterable<Buffer>,
): Promise<Verdict> {
  const utf8 = new Utf8Check();
  const ours = new Source(table);
  const theirs = new Source(archive, (chunk) => {
    utf8.update(chunk);
  });
  try {
    const verdict = await compareSources(ours, theirs);
    if (verdict.kind === 'mismatch' || utf8.valid) return verdict;
    return { kind: 'mismatch', differences: [NOT_UTF8] };
  } finally {
    // Where one side failed, the other one is closed.
    ours.close();
    theirs.close();
  }
}

async function compareSources(ours: Source, theirs: Source): Promise<Verdict> {
  const common = new LineDigester();
  for (;;) {
    await Promise.all([ours.fill(), theirs.fill()]);
    const length = Math.min(ours.chunk.length, theirs.chunk.length);
    if (length === 0) break;
    const same = commonLength(ours.chunk, theirs.chunk, length);
    common.update(ours.chunk.subarray(0, same));
    ours.skip(same);
    theirs.skip(same);
    if (same < length) break;
  }
  if (ours.ended && theirs.ended) return judge(common.digest());

  const { rows, bytes } = common.position;
  const [inTable, inArchive] = await Promise.all([drain(ours, common.fork()), drain(theirs, common.fork())]);
  return classifyDifferent(inTable, inArchive, { line: rows + 1, byte: bytes });
}

/** A stream read chunk by chunk, of which only the first part was used. */
class Source {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #look: (chunk: Buffer) => void;
  chunk: Buffer = Buffer.alloc(0);
  ended = false;

  constructor(chunks: AsyncIterable<Buffer>, look: (chunk: Buffer) => void = () => undefined) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#look = look;
  }

  async fill(): Promise<void> {
    while (this.chunk.length === 0 && !this.ended) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.ended = true;
      } else {
        this.chunk = next.value;
        this.#look(next.value);
      }
    }
  }

  /** Not awaited: a stream that has stalled would hold up the error of the other one. */
  close(): void {
    if (!this.ended) this.#chunks.return?.().catch(() => undefined);
  }

  skip(length: number): void {
    this.chunk = this.chunk.subarray(length);
  }
}

function commonLength(a: Buffer, b: Buffer, length: number): number {
  if (a.compare(b, 0, length, 0, length) === 0) return length;
  let same = 0;
  while (a[same] === b[same]) same += 1;
  return same;
}

async function drain(source: Source, digester: LineDigester): Promise<LineDigest> {
  while (!source.ended) {
    digester.update(source.chunk);
    source.skip(source.chunk.length);
    await source.fill();
  }
  return digester.digest();
}

function judge(digest: LineDigest): Verdict {
  if (digest.complete) return { kind: 'match', digest, orderDiffers: false };
  return { kind: 'mismatch', differences: [NOT_ENDED] };
}

function classifyDifferent(
  table: LineDigest,
  archive: LineDigest,
  first: { readonly line: number; readonly byte: number },
): Verdict {
  if (
    table.complete &&
    archive.complete &&
    table.rows === archive.rows &&
    table.bytes === archive.bytes &&
    table.lineHashSum === archive.lineHashSum
  ) {
    return { kind: 'match', digest: archive, orderDiffers: true };
  }
  const differences = [
    `first difference in line ${String(first.line)}, at byte ${String(first.byte)}`,
    `the table has ${counted(table.rows, 'row')} and ${counted(table.bytes, 'byte')}`,
    `the archive has ${counted(archive.rows, 'row')} and ${counted(archive.bytes, 'byte')}`,
  ];
  if (!archive.complete) differences.push('the last line of the archive has no end');
  return { kind: 'mismatch', differences };
}
