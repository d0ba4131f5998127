import type { ByteValues, CellRenderer } from './raw-values.ts';

const BACKSLASH = 0x5c;

/** As bytea is written. */
export const byteas =
  ({ bytes: values, starts, ends }: ByteValues): CellRenderer =>
  (index, out) => {
    const [start, end] = [starts[index] ?? 0, ends[index] ?? 0];
    out.room(3 + (end - start) * 2);
    let { at } = out;
    const { bytes } = out;
    bytes[at++] = BACKSLASH;
    bytes[at++] = BACKSLASH;
    bytes[at++] = 0x78;
    for (let from = start; from < end; from += 1) {
      const byte = values[from] ?? 0;
      const high = byte >> 4;
      const low = byte & 15;
      bytes[at++] = high < 10 ? 0x30 + high : 0x57 + high;
      bytes[at++] = low < 10 ? 0x30 + low : 0x57 + low;
    }
    out.at = at;
  };

/** The letter that stands for a byte behind a backslash; 0 for a byte that stands for itself. */
const LETTERS = new Uint8Array(256);
for (const [byte, letter] of [
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [11, 'v'],
  [12, 'f'],
  [13, 'r'],
  [92, '\\'],
] as const) {
  LETTERS[byte] = letter.charCodeAt(0);
}

/** As text is written, with its escapes. */
export const texts =
  ({ bytes: values, starts, ends }: ByteValues): CellRenderer =>
  (index, out) => {
    const start = starts[index] ?? 0;
    const end = ends[index] ?? 0;
    out.room((end - start) * 2);
    const { bytes } = out;
    let { at } = out;
    for (let from = start; from < end; from += 1) {
      const byte = values[from] ?? 0;
      const letter = LETTERS[byte] ?? 0;
      if (letter !== 0) {
        bytes[at++] = BACKSLASH;
        bytes[at++] = letter;
      } else bytes[at++] = byte;
    }
    out.at = at;
  };
