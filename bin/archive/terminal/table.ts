/** Least width of a column that is shortened: enough of both ends of a name to recognise it. */
const LEAST_WIDTH = 12;

/** Shortens in the middle, since names of partitions differ at their ends. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 2) return text.slice(0, width);
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/**
 * Lines of a table whose columns are as wide as their contents. Where that exceeds `width` (columns of the terminal;
 * `undefined` for a pipe or a file, which get everything), the widest columns are shortened.
 */
export function tableLines(rows: readonly (readonly string[])[], width: number | undefined): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = fittingWidths(
    Array.from({ length: count }, (_, column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))),
    1,
    width,
  );
  return rows.map((row) =>
    row
      .map((cell, column) => shorten(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}

/** Widths of columns with `gap` between them, the widest reduced until all fit into `width`. */
export function fittingWidths(wanted: readonly number[], gap: number, width: number | undefined): number[] {
  const widths = [...wanted];
  const gaps = gap * Math.max(0, widths.length - 1);
  const excess = (): number => widths.reduce((sum, each) => sum + each, gaps) - (width ?? Infinity);
  while (excess() > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_WIDTH) break;
    const second = Math.max(LEAST_WIDTH, ...widths.filter((each) => each < widest));
    const shared = widths.filter((each) => each === widest).length;
    const less = Math.min(widest - second, Math.ceil(excess() / shared));
    widths.forEach((each, column) => {
      if (each === widest) widths[column] = widest - less;
    });
  }
  return widths;
}

/** Lines of at most `width` characters, broken at spaces; a longer word stays whole, so that it can be copied. */
export function wrap(text: string, indent: string, width: number | undefined): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && width !== undefined && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}
