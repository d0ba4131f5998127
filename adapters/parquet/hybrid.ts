/** The RLE and bit-packing hybrid of Parquet, for levels and for indexes into a dictionary. */

const SHORTEST_RUN = 8;

/** Most bytes that `count` values of `width` bits can take. */
export const hybridBound = (count: number, width: number): number =>
  (Math.ceil(count / 8) + 1) * (width + 6) + 16;

/** Writes values from `from` to before `to`; returns where it ended. */
export function writeHybrid(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  start: number,
): number {
  let at = start;
  let packedFrom = from;
  let index = from;
  while (index < to) {
    const value = values[index] ?? 0;
    let end = index + 1;
    while (end < to && values[end] === value) end += 1;
    if (end - index >= SHORTEST_RUN) {
      if (packedFrom < index) at = writePacked(values, packedFrom, index, width, out, at);
      at = writeVarint(out, at, (end - index) * 2);
      for (let shift = 0; shift < width; shift += 8) out[at++] = (value >>> shift) & 0xff;
      index = end;
      packedFrom = end;
    } else index += SHORTEST_RUN;
  }
  return packedFrom < to ? writePacked(values, packedFrom, to, width, out, at) : at;
}

/** Groups of eight; the last one is filled up with zeros, which only the last group of all may be. */
function writePacked(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  width: number,
  out: Uint8Array,
  start: number,
): number {
  const groups = Math.ceil((to - from) / 8);
  let at = writeVarint(out, start, groups * 2 + 1);
  if (width === 0) return at;
  let bits = 0;
  let used = 0;
  const end = from + groups * 8;
  for (let index = from; index < end; index += 1) {
    bits |= (index < to ? (values[index] ?? 0) : 0) << used;
    used += width;
    while (used >= 8) {
      out[at++] = bits & 0xff;
      bits >>>= 8;
      used -= 8;
    }
  }
  return at;
}

function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}
