import { counted } from '../counted.ts';
import { ArchiverError } from '../errors.ts';
import { LineDigester, type LineDigest } from '../proof/line-digest.ts';
import { parquetElements, type CopyColumn } from './parquet-map.ts';
import { rendererOf } from './pg-text.ts';
import type { CellRenderer, RawValues } from './raw-values.ts';
import type { ColumnPage, ParquetFileReader } from './ports.ts';
import { TextBuffer } from './text-buffer.ts';

/** What the manifest of the archive says of a segment. */
export interface ExpectedText {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly lineHashSum: string;
}

/** Whether a copy is the text. */
export type CopyVerdict =
  | { readonly kind: 'equal'; readonly digest: LineDigest }
  | { readonly kind: 'different'; readonly differences: readonly string[] };

/** Text is digested when so much of it is there. */
const BATCH_BYTES = 256 * 1024;
const TAB = 0x09;
const NEWLINE = 0x0a;

/**
 * Proves a copy: the schema in its footer is the expected one, and each value, written as PostgreSQL would write it, makes
 * the same text as the segment: rows, bytes, line hashes and SHA-256 are those of the manifest. Constant memory.
 */
export function proveCopy(
  file: ParquetFileReader,
  columns: readonly CopyColumn[],
  expected: ExpectedText,
): CopyVerdict {
  const differences = schemaDifferences(file, columns);
  const inGroups = file.rowGroups.reduce((sum, { rows }) => sum + rows, 0);
  if (file.rows !== expected.rows || inGroups !== expected.rows) {
    differences.push(
      `${counted(file.rows, 'row')} in the footer, ${inGroups} in its row groups, not ${expected.rows}`,
    );
  }
  if (differences.length > 0) return { kind: 'different', differences };
  const digest = digestText(file, columns);
  const differ = (what: string, is: number | string, said: number | string): void => {
    if (is !== said) differences.push(`${what} ${is}, not ${said}`);
  };
  differ('rows', digest.rows, expected.rows);
  differ('bytes', digest.bytes, expected.bytes);
  differ('line-hash sum', digest.lineHashSum, expected.lineHashSum);
  differ('SHA-256', digest.sha256, expected.sha256);
  return differences.length === 0 ? { kind: 'equal', digest } : { kind: 'different', differences };
}

/** What in the footer's schema is not as it should be. Reading raw values would not notice a wrong scale or zone. */
function schemaDifferences({ root, elements }: ParquetFileReader, columns: readonly CopyColumn[]): string[] {
  const expected = parquetElements(columns);
  if (root.children !== expected.length || elements.length !== expected.length) {
    return [`${counted(elements.length, 'column')} in the footer, not ${expected.length}`];
  }
  return expected.flatMap((element, index) =>
    canonical(elements[index]) === canonical(element)
      ? []
      : [`column ${index + 1} is described in the footer as something else`],
  );
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** Writes a copy as COPY text, and digests that. */
function digestText(file: ParquetFileReader, columns: readonly CopyColumn[]): LineDigest {
  const digester = new LineDigester();
  const out = new TextBuffer(BATCH_BYTES * 2);
  for (const group of file.rowGroups) {
    const cells = columns.map((column, index) => new Cells(column, group.columns[index] ?? []));
    const last = cells.length - 1;
    for (let row = 0; row < group.rows; row += 1) {
      for (let column = 0; column <= last; column += 1) {
        cells[column]?.write(out);
        out.room(1);
        out.bytes[out.at++] = column === last ? NEWLINE : TAB;
      }
      if (out.at >= BATCH_BYTES) {
        digester.update(out.bytes.subarray(0, out.at));
        out.at = 0;
      }
    }
    for (const each of cells) each.end();
  }
  digester.update(out.bytes.subarray(0, out.at));
  return digester.digest();
}

/** One column of a row group, cell by cell. Each entry of a dictionary is written once and copied from then on. */
class Cells {
  readonly #column: CopyColumn;
  readonly #pages: Iterator<ColumnPage>;
  #page: ColumnPage = { rows: 0, levels: undefined };
  #row = 0;
  #value = 0;
  #render: CellRenderer = () => undefined;
  #dictionary: RawValues | undefined;
  #entries: CellRenderer = () => undefined;

  constructor(column: CopyColumn, pages: Iterable<ColumnPage>) {
    this.#column = column;
    this.#pages = pages[Symbol.iterator]();
  }

  write(out: TextBuffer): void {
    while (this.#row === this.#page.rows) this.#nextPage();
    const { levels } = this.#page;
    if (levels !== undefined && levels[this.#row] !== 1) {
      out.room(2);
      out.bytes[out.at++] = 0x5c;
      out.bytes[out.at++] = 0x4e;
    } else this.#render(this.#value++, out);
    this.#row += 1;
  }

  /** A column with more rows than its row group is damaged. */
  end(): void {
    if (this.#row !== this.#page.rows || this.#pages.next().done !== true) throw notItsRows();
  }

  #nextPage(): void {
    const next = this.#pages.next();
    if (next.done === true) throw notItsRows();
    this.#page = next.value;
    this.#row = 0;
    this.#value = 0;
    const { values, indexes, dictionary } = next.value;
    if (values !== undefined) this.#render = rendererOf(this.#column, values);
    else if (indexes !== undefined && dictionary !== undefined) {
      if (dictionary !== this.#dictionary) {
        this.#entries = writtenOnce(rendererOf(this.#column, dictionary), dictionary.length);
        this.#dictionary = dictionary;
      }
      const entries = this.#entries;
      this.#render = (value, to) => entries(indexes[value] ?? Number.NaN, to);
    } else throw notItsRows();
  }
}

const notItsRows = (): ArchiverError =>
  new ArchiverError('CopyNotProven', 'a column of the copy has other rows than its row group');

/** Shorter than this a copy byte by byte is faster than a call. */
const SHORT = 48;

function writtenOnce(render: CellRenderer, count: number): CellRenderer {
  const text = new TextBuffer(4096);
  const ends = new Int32Array(count);
  for (let entry = 0; entry < count; entry += 1) {
    render(entry, text);
    ends[entry] = text.at;
  }
  const { bytes } = text;
  return (entry, out) => {
    const to = ends[entry];
    if (to === undefined) throw notItsRows();
    const from = entry === 0 ? 0 : (ends[entry - 1] ?? 0);
    out.room(to - from);
    if (to - from > SHORT) out.at += bytes.copy(out.bytes, out.at, from, to);
    else {
      let { at } = out;
      const target = out.bytes;
      for (let index = from; index < to; index += 1) target[at++] = bytes[index] ?? 0;
      out.at = at;
    }
  };
}
