import type { Writable } from 'node:stream';
import type { ResultRows } from '../../../adapters/duckdb/engine.ts';
import { fittingWidths, shorten } from '../terminal/table.ts';

type Write = (text: string) => void;
type Value = unknown;

/** Rows by which the widths of a table's columns are found. What comes behind them may be wider. */
const ROWS_MEASURED = 500;
const WIDEST = 60;

/** A value as text; NULL is empty, as in psql. */
function textOf(value: Value): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What would move the cursor or break a line is shown as JSON writes it. */
const shown = (value: Value): string =>
  // eslint-disable-next-line no-control-regex
  textOf(value).replace(/[\u0000-\u001f\u007f-\u009f]/g, (sign) => JSON.stringify(sign).slice(1, -1));

/** A result that ends where `output` cannot be written any more: its reader stopped. */
export function untilUnread({ columns, rows }: ResultRows, output: Writable): ResultRows {
  async function* read(): ResultRows['rows'] {
    for await (const chunk of rows) {
      if (output.errored !== null) return;
      yield chunk;
    }
  }
  return { columns, rows: read() };
}

/** Prints a result as a table, which fits into `width` columns of a terminal if that is given; returns its rows. */
export async function printTable(
  { columns, rows }: ResultRows,
  write: Write,
  width?: number,
): Promise<number> {
  let widths: number[] | undefined;
  const buffered: (readonly Value[])[] = [];
  let count = 0;
  const numeric = columns.map(({ type }) =>
    /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT|FLOAT|DOUBLE|DECIMAL.*)$/.test(type),
  );
  const line = (cells: readonly string[]): void => {
    const padded = cells.map((cell, index) => {
      const room = widths?.[index] ?? 0;
      const fitting = width === undefined ? cell : shorten(cell, room);
      return numeric[index] === true ? fitting.padStart(room) : fitting.padEnd(room);
    });
    write(`${padded.join('  ').trimEnd()}\n`);
  };
  const flush = (): void => {
    if (widths === undefined) {
      const wanted = columns.map(({ name }, index) =>
        Math.min(WIDEST, Math.max(name.length, ...buffered.map((row) => shown(row[index]).length))),
      );
      widths = fittingWidths(wanted, 2, width);
      line(columns.map(({ name }) => shown(name)));
      line(widths.map((width) => '-'.repeat(width)));
    }
    for (const row of buffered) line(row.map(shown));
    buffered.length = 0;
  };
  for await (const chunk of rows) {
    for (const row of chunk) buffered.push(row);
    count += chunk.length;
    if (widths !== undefined || buffered.length >= ROWS_MEASURED) flush();
  }
  flush();
  return count;
}

/** Prints a result as CSV (RFC 4180); NULL is empty and not quoted, an empty text is quoted. */
export async function printCsv({ columns, rows }: ResultRows, write: Write): Promise<number> {
  const cell = (value: Value): string => {
    if (value === null || value === undefined) return '';
    const text = textOf(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  write(`${columns.map(({ name }) => cell(name)).join(',')}\r\n`);
  let count = 0;
  for await (const chunk of rows) {
    for (const row of chunk) write(`${row.map(cell).join(',')}\r\n`);
    count += chunk.length;
  }
  return count;
}

/** Prints a result as one JSON object a line. Numbers that JavaScript would round are texts. */
export async function printJson({ columns, rows }: ResultRows, write: Write): Promise<number> {
  let count = 0;
  for await (const chunk of rows) {
    for (const row of chunk) {
      write(`${JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])))}\n`);
    }
    count += chunk.length;
  }
  return count;
}
