import { counted } from '../counted.ts';
import { addLineHashSums, formatLineHashSum, type LineDigest } from '../proof/line-digest.ts';
import { LineHasher } from '../proof/line-hash.ts';

/** What one partition was found to hold, on both sides. */
export interface CheckedPartition {
  readonly partition: string;
  readonly rows: number;
  readonly bytes: number;
  readonly lineHashSum: string;
}

/** Whether table and shadow table hold the same, partition by partition. */
export type Verdict =
  | { readonly kind: 'match'; readonly partitions: readonly CheckedPartition[] }
  | { readonly kind: 'mismatch'; readonly differences: readonly string[] };

const NEWLINE = 0x0a;
const TAB = 0x09;

/** What lines add up to, in whatever order. */
export type Sums = Pick<LineDigest, 'rows' | 'bytes' | 'lineHashSum'>;

/** Lines of one partition that are hashed together: a call costs more than a short line. */
const STAGED_BYTES = 16 * 1024;

/** Adds up the lines of one partition as they come, between those of others. */
class LineSums {
  #bytes = 0;
  #filled = 0;
  readonly #staged = Buffer.allocUnsafe(STAGED_BYTES);
  readonly #hasher = LineHasher.begin();

  add(line: Buffer): void {
    this.#bytes += line.length;
    if (line.length > STAGED_BYTES - this.#filled) this.#flush();
    if (line.length > STAGED_BYTES) this.#hasher.update(line);
    else this.#filled += line.copy(this.#staged, this.#filled);
  }

  end(): Sums {
    this.#flush();
    const { lines, sum } = this.#hasher;
    return { rows: lines, bytes: this.#bytes, lineHashSum: formatLineHashSum(sum) };
  }

  #flush(): void {
    this.#hasher.update(this.#staged.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/**
 * Digests COPY text whose first field is the number of a partition, one digest a partition. The number is not part of the
 * line that is digested.
 */
export async function digestByPartition(chunks: AsyncIterable<Buffer>): Promise<ReadonlyMap<number, Sums>> {
  const sums = new Map<number, LineSums>();
  const take = (line: Buffer): void => {
    const tab = line.indexOf(TAB);
    const number = Number(line.toString('latin1', 0, tab));
    let ofPartition = sums.get(number);
    if (ofPartition === undefined) {
      ofPartition = new LineSums();
      sums.set(number, ofPartition);
    }
    ofPartition.add(line.subarray(tab + 1));
  };
  // A line may come in many pieces.
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const rest = chunk.subarray(start, end + 1);
      take(begun.length === 0 ? rest : Buffer.concat([...begun, rest]));
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(Buffer.from(chunk.subarray(start)));
  }
  if (begun.length > 0) take(Buffer.concat(begun));
  return new Map([...sums].map(([number, ofPartition]) => [number, ofPartition.end()]));
}

/** Number of the rows that lie in the default partition, or would if there were one. */
const OUTSIDE = -1;

/** Compares the digests of both sides. `names` are those of the partitions 1, 2, …. */
export function comparePartitions(
  names: readonly string[],
  table: ReadonlyMap<number, Sums>,
  shadow: ReadonlyMap<number, Sums>,
): Verdict {
  const differences: string[] = [];
  const partitions: CheckedPartition[] = [];
  for (const number of new Set([...names.map((_, index) => index + 1), ...table.keys(), ...shadow.keys()])) {
    const partition = number === OUTSIDE ? 'the default partition' : names[number - 1];
    const [ours, theirs] = [table.get(number), shadow.get(number)];
    const { rows = 0, bytes = 0, lineHashSum = '0'.repeat(16) } = ours ?? {};
    if (partition === undefined) {
      differences.push(`${counted(rows + (theirs?.rows ?? 0), 'row')} outside of every partition`);
    } else if (
      rows !== (theirs?.rows ?? 0) ||
      bytes !== (theirs?.bytes ?? 0) ||
      lineHashSum !== (theirs?.lineHashSum ?? '0'.repeat(16))
    ) {
      differences.push(
        `${partition}: the table has ${counted(rows, 'row')} and ${counted(bytes, 'byte')}, the partition ${counted(theirs?.rows ?? 0, 'row')} and ${counted(theirs?.bytes ?? 0, 'byte')}${rows === theirs?.rows && bytes === theirs.bytes ? ', with other contents' : ''}`,
      );
    } else {
      partitions.push({ partition, rows, bytes, lineHashSum });
    }
  }
  return differences.length === 0 ? { kind: 'match', partitions } : { kind: 'mismatch', differences };
}

/** What two ranges hold together, partition by partition. */
export function addCheckedPartitions(
  ours: readonly CheckedPartition[],
  theirs: readonly CheckedPartition[],
): readonly CheckedPartition[] {
  const sums = new Map(ours.map((each) => [each.partition, each]));
  for (const { partition, rows, bytes, lineHashSum } of theirs) {
    const before = sums.get(partition);
    sums.set(partition, {
      partition,
      rows: rows + (before?.rows ?? 0),
      bytes: bytes + (before?.bytes ?? 0),
      lineHashSum: addLineHashSums([lineHashSum, ...(before === undefined ? [] : [before.lineHashSum])]),
    });
  }
  return [...sums.values()];
}
