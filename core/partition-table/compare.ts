import { addLineHashSums, type LineDigest, LineDigester } from '../verify/line-digest.ts';

/** What one partition was found to hold, on both sides. */
export interface CheckedPartition {
  readonly partition: string;
  readonly rows: number;
  readonly bytes: number;
  readonly lineHashSum: string;
}

/** Whether table and twin hold the same, partition by partition. */
export type Verdict =
  | { readonly kind: 'match'; readonly partitions: readonly CheckedPartition[] }
  | { readonly kind: 'mismatch'; readonly differences: readonly string[] };

const NEWLINE = 0x0a;
const TAB = 0x09;

/**
 * Digests COPY text whose first field is the number of a partition, one digest a partition. The number is not part of the
 * line that is digested.
 */
export async function digestByPartition(
  chunks: AsyncIterable<Buffer>,
): Promise<ReadonlyMap<number, LineDigest>> {
  const digesters = new Map<number, LineDigester>();
  const take = (line: Buffer): void => {
    const tab = line.indexOf(TAB);
    const number = Number(line.toString('latin1', 0, tab));
    let digester = digesters.get(number);
    if (digester === undefined) {
      digester = new LineDigester();
      digesters.set(number, digester);
    }
    digester.update(line.subarray(tab + 1));
  };
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const data = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
      take(data.subarray(start, end + 1));
      start = end + 1;
    }
    tail = Buffer.from(data.subarray(start));
  }
  if (tail.length > 0) take(tail);
  return new Map([...digesters].map(([number, digester]) => [number, digester.digest()]));
}

/** Number of the rows that lie in the default partition, or would if there were one. */
const OUTSIDE = -1;

/** Compares the digests of both sides. `names` are those of the partitions 1, 2, …. */
export function comparePartitions(
  names: readonly string[],
  table: ReadonlyMap<number, LineDigest>,
  twin: ReadonlyMap<number, LineDigest>,
): Verdict {
  const differences: string[] = [];
  const partitions: CheckedPartition[] = [];
  for (const number of new Set([...names.map((_, index) => index + 1), ...table.keys(), ...twin.keys()])) {
    const partition = number === OUTSIDE ? 'the default partition' : names[number - 1];
    const [ours, theirs] = [table.get(number), twin.get(number)];
    const { rows = 0, bytes = 0, lineHashSum = '0'.repeat(16) } = ours ?? {};
    if (partition === undefined) {
      differences.push(`${String(rows + (theirs?.rows ?? 0))} rows belong to no partition`);
    } else if (
      rows !== (theirs?.rows ?? 0) ||
      bytes !== (theirs?.bytes ?? 0) ||
      lineHashSum !== (theirs?.lineHashSum ?? '0'.repeat(16))
    ) {
      differences.push(
        `${partition}: the table has ${String(rows)} rows and ${String(bytes)} bytes, the partition ${String(theirs?.rows ?? 0)} rows and ${String(theirs?.bytes ?? 0)} bytes${rows === theirs?.rows && bytes === theirs.bytes ? ', with other contents' : ''}`,
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
