import type { TextBuffer } from './text-buffer.ts';

/** Values of variable width, in one piece: an object of each would take several times their room. */
export interface ByteValues {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** How many there are. */
  readonly length: number;
}

/** Values as a reader of Parquet gives them, raw: whatever the annotations of the file say of them. */
export type RawValues =
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly Uint8Array[]
  | readonly boolean[]
  | ByteValues;

/** Writes one value as PostgreSQL's COPY would. */
export type CellRenderer = (index: number, out: TextBuffer) => void;
