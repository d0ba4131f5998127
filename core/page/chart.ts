import type { ShownSet } from './archives.ts';
import { escape } from './html.ts';
import { lookOf, LOOKS, type Look } from './looks.ts';

/** Width and height of a cell, and the height of a line with its years. */
const CELL = 13;
const HEIGHT = 16;
const LINE = 34;
/** Cells that the label of a year takes. */
const LABEL = 4;
/** Cells in a line: three years of months, which a telephone shows legibly, and more of many days. */
const cellsInLine = (periods: number): number => (periods <= 240 ? 36 : 72);

/** A cell for each period, filled by how it stands, with its letter; the years stand above. */
export function chart({ facts: { periods }, stored }: ShownSet): string {
  const inLine = cellsInLine(periods.length);
  const lines = Math.ceil(periods.length / inLine);
  const width = Math.max(Math.min(periods.length, inLine) * CELL, LABEL * CELL);
  const paths = new Map<Look, string>();
  const texts: string[] = [];
  for (let line = 0; line < lines; line += 1) {
    const ofLine = periods.slice(line * inLine, (line + 1) * inLine);
    const y = line * LINE + 14;
    const letters = ofLine.map((period, index) => {
      const look = lookOf(period, stored);
      paths.set(look, `${paths.get(look) ?? ''}M${index * CELL} ${y}h${CELL - 1}v${HEIGHT}h-${CELL - 1}z`);
      return LOOKS[look].letter;
    });
    // A place for each letter: the width of a letter is the font's, and fonts differ.
    const xs = letters.map((_, index) => index * CELL + (CELL - 1) / 2).join(' ');
    texts.push(`<text class="c" x="${xs}" y="${y + 12}">${letters.join('')}</text>`);
    texts.push(
      ...years(
        ofLine.map(({ period }) => period.slice(0, 4)),
        y - 3,
      ),
    );
  }
  const shapes = [...paths].map(([look, path]) => `<path class="${look}" d="${path}"/>`).join('');
  const label = `${periods.length} periods from ${periods[0]?.period ?? ''} to ${periods.at(-1)?.period ?? ''}; the text below says how they stand`;
  return `<svg viewBox="0 0 ${width} ${lines * LINE}" width="${width}" role="img" aria-label="${escape(label)}">${shapes}${texts.join('')}</svg>`;
}

/** The year above its first cell, where there is room for it. */
function years(ofLine: readonly string[], y: number): string[] {
  let free = 0;
  return ofLine.flatMap((year, index) => {
    const isFirst = index === 0 || year !== ofLine[index - 1];
    // The first line of a narrow chart may have room beyond its last cell.
    const fits = index + LABEL <= Math.max(ofLine.length, LABEL);
    if (!isFirst || index < free || !fits) return [];
    free = index + LABEL;
    return [`<text x="${index * CELL}" y="${y}">${escape(year)}</text>`];
  });
}
