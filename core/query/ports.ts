import type { ColumnValues } from './column-values.ts';
import type { CopyColumn } from './parquet-map.ts';
import type { RawValues } from './raw-values.ts';

/** A Parquet file that is being written to the local disk. */
export interface ParquetFileWriter {
  rowGroup(columns: readonly ColumnValues[], rows: number): void;
  /** Writes the footer and closes the file. */
  finish(): { readonly bytes: number; readonly sha256: string };
  /** Closes a file that will not be finished. */
  cancel(): void;
}

/** A page of a column, raw. Without levels each row has a value; without a dictionary `values` are the values. */
export interface ColumnPage {
  readonly rows: number;
  /** For each row 1, or 0 for NULL. */
  readonly levels: ArrayLike<number> | undefined;
  readonly values?: RawValues;
  readonly dictionary?: RawValues | undefined;
  readonly indexes?: ArrayLike<number>;
}

/** A Parquet file of the local disk, as its footer and its pages are. */
export interface ParquetFileReader {
  readonly root: { readonly children: number };
  /** Elements of the schema below the root, as the footer has them. */
  readonly elements: readonly object[];
  readonly rows: number;
  readonly rowGroups: readonly {
    readonly rows: number;
    readonly columns: readonly Iterable<ColumnPage>[];
  }[];
  readonly metadata: Readonly<Record<string, string>>;
  close(): void;
}

/** The local disk on which copies are written and proven, before anything of them is uploaded. */
export interface CopyDisk {
  /** Begins a Parquet file; an older one of the same name is written over. */
  create(
    name: string,
    columns: readonly CopyColumn[],
    metadata: Readonly<Record<string, string>>,
  ): ParquetFileWriter;
  /** Opens a finished file. `CopyNotProven` where its bytes are not those that were written. */
  open(name: string, sha256: string): Promise<ParquetFileReader>;
  /** Removes a file, if it is there. */
  remove(name: string): void;
}
