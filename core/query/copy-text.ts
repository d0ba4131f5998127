import { ArchiverError } from '../errors.ts';
import { Utf8Check } from '../proof/utf8.ts';
import { ColumnValues } from './column-values.ts';
import { parserOf, reasonOf } from './copy-fields.ts';
import { NOT_EXACT, type FieldParser } from './field-parser.ts';
import type { CopyColumn } from './parquet-map.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
const TEXT = { kind: 'text', precision: 0, scale: 0 } as const;

/** Takes the columns of a row group. They are used again for the next one. */
export type OnRowGroup = (columns: readonly ColumnValues[], rows: number) => void;

/**
 * Takes COPY text apart as it streams by, strictly: what PostgreSQL does not write is refused. Closes a row group after
 * so many bytes of text, so that memory depends neither on the number of rows nor on their width.
 *
 * Where a column has a value that its kind cannot hold exactly, the column is named in `fallbacks`, and from then on the
 * rest is only looked through for others: the archive has to be taken from its beginning again.
 */
export class CopyTextParser {
  /** Columns that have to be text, and why. */
  readonly fallbacks = new Map<string, string>();
  readonly #columns: readonly CopyColumn[];
  readonly #parsers: FieldParser[];
  readonly #values: ColumnValues[];
  readonly #onRowGroup: OnRowGroup;
  readonly #groupBytes: number;
  readonly #utf8 = new Utf8Check();
  /** The beginning of a row that has not ended, in pieces. */
  #rest: Buffer[] = [];
  #rowsInGroup = 0;
  #bytesInGroup = 0;

  constructor(columns: readonly CopyColumn[], onRowGroup: OnRowGroup, groupBytes: number) {
    this.#columns = columns;
    this.#parsers = columns.map(parserOf);
    this.#values = columns.map((column) => new ColumnValues(column));
    this.#onRowGroup = onRowGroup;
    this.#groupBytes = groupBytes;
  }

  /** Takes the next bytes; they may end anywhere. The buffer may be reused afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#utf8.update(chunk);
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#rest.push(Buffer.from(chunk));
      return;
    }
    let begin = 0;
    if (this.#rest.length > 0) {
      begin = chunk.indexOf(NEWLINE) + 1;
      const row = Buffer.concat([...this.#rest, chunk.subarray(0, begin)]);
      this.#rest = [];
      this.#takeRows(row, 0, row.length);
    }
    this.#takeRows(chunk, begin, end);
    if (end < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(end)));
  }

  /** Closes the last row group. */
  end(): void {
    if (this.#rest.length > 0) throw notCopyText('its last row has no end');
    if (!this.#utf8.valid) throw notCopyText('it is not UTF-8');
    this.#closeGroup();
  }

  /** `end` lies behind a newline. */
  #takeRows(bytes: Buffer, begin: number, end: number): void {
    const last = this.#parsers.length - 1;
    const parsers = this.#parsers;
    const values = this.#values;
    let at = begin;
    let counted = begin;
    while (at < end) {
      for (let column = 0; column <= last; column += 1) {
        const into = values[column];
        const parse = parsers[column];
        if (into === undefined || parse === undefined) break;
        if (bytes[at] === BACKSLASH && bytes[at + 1] === CAPITAL_N) {
          into.addNull();
          at += 2;
        } else {
          const next = parse(bytes, at, into);
          at = next === NOT_EXACT ? this.#fallBack(column, bytes, at) : next;
        }
        if (bytes[at] !== (column === last ? NEWLINE : TAB)) throw notCopyText('a row has other fields');
        at += 1;
      }
      this.#rowsInGroup += 1;
      this.#bytesInGroup += at - counted;
      counted = at;
      if (this.#bytesInGroup >= this.#groupBytes) this.#closeGroup();
    }
  }

  /** Continues with a column as text; returns where the field ends. */
  #fallBack(column: number, bytes: Buffer, at: number): number {
    const { name, kind } = this.#columns[column] ?? { name: '', kind: 'text' };
    const asText = parserOf(TEXT);
    const values = new ColumnValues(TEXT);
    const end = this.#values[column]?.kind === 'text' ? NOT_EXACT : asText(bytes, at, values);
    if (end === NOT_EXACT || kind === 'text')
      throw notCopyText('a field has an escape that COPY never writes');
    this.fallbacks.set(name, reasonOf(bytes.toString('latin1', at, end)));
    this.#parsers[column] = asText;
    this.#values[column] = values;
    return end;
  }

  #closeGroup(): void {
    if (this.#rowsInGroup > 0 && this.fallbacks.size === 0) {
      this.#onRowGroup(this.#values, this.#rowsInGroup);
    }
    for (const values of this.#values) values.clear();
    this.#rowsInGroup = 0;
    this.#bytesInGroup = 0;
  }
}

const notCopyText = (what: string): ArchiverError =>
  new ArchiverError('CopyRefused', `the archive's text is not what COPY writes: ${what}`);
