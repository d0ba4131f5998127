import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { FileMetaData, RowGroup } from 'hyparquet';
import { parquetMetadataAsync } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { ArchiverError } from '../../core/errors.ts';
import type { ColumnValues } from '../../core/query/column-values.ts';
import { parquetElements, type CopyColumn } from '../../core/query/parquet-map.ts';
import type { ParquetFileReader, ParquetFileWriter } from '../../core/query/ports.ts';
import { onDisk } from '../disk/errors.ts';
import { writeColumnChunk, type PageWriter } from './column-chunk.ts';
import { pagesOf } from './pages.ts';

/** Begins a Parquet file on the local disk; an older one of the same name is written over. */
export function createParquetFile(
  path: string,
  columns: readonly CopyColumn[],
  metadata: Readonly<Record<string, string>>,
  createdBy: string,
): ParquetFileWriter {
  const elements = parquetElements(columns);
  const file = onDisk(() => openSync(path, 'w'));
  const writer = new FileWriter(file);
  const parquet = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: elements.length }, ...elements.map((element) => ({ ...element }))],
    codec: 'ZSTD',
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy,
  });
  return {
    rowGroup: (values: readonly ColumnValues[], rows: number) => {
      const start = writer.offset;
      const chunks: RowGroup['columns'] = elements.map((element, index) => {
        const column = values[index];
        if (column?.rows !== rows) throw new Error(`column ${index} has other rows than its row group`);
        return writeColumnChunk(writer, element, column);
      });
      parquet.num_rows += BigInt(rows);
      parquet.row_groups.push({
        columns: chunks,
        num_rows: BigInt(rows),
        total_byte_size: chunks.reduce(
          (sum, { meta_data: chunk }) => sum + (chunk?.total_uncompressed_size ?? 0n),
          0n,
        ),
        total_compressed_size: BigInt(writer.offset - start),
      });
    },
    finish: () => {
      void parquet.finish();
      closeSync(file);
      return { bytes: writer.offset, sha256: writer.sha256.digest('hex') };
    },
    cancel: () => closeSync(file),
  };
}

/** A writer into a file. */
class FileWriter extends ByteWriter implements PageWriter {
  readonly sha256 = createHash('sha256');
  readonly #file: number;

  constructor(file: number) {
    super(1 << 20);
    this.#file = file;
  }

  flush(): void {
    const bytes = new Uint8Array(this.buffer, 0, this.index);
    this.sha256.update(bytes);
    onDisk(() => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    });
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** Bytes read at once for their SHA-256. */
const HASHED_BYTES = 1024 * 1024;

/**
 * Opens a Parquet file of the local disk and reads its footer. `CopyNotProven` where its bytes are not those that were
 * written: damaged headers can make the reader run for ever.
 */
export async function openParquetFile(path: string, sha256: string): Promise<ParquetFileReader> {
  const file = onDisk(() => openSync(path, 'r'));
  try {
    const byteLength = fstatSync(file).size;
    if (sha256Of(file) !== sha256) throw notRead();
    const read = (bytes: Uint8Array, start: number): Uint8Array => {
      if (!(start >= 0 && start + bytes.length <= byteLength)) throw notRead();
      for (let at = 0; at < bytes.length;) {
        const length = readSync(file, bytes, at, bytes.length - at, start + at);
        if (length === 0) throw notRead();
        at += length;
      }
      return bytes;
    };
    const slice = (start: number, end = byteLength): ArrayBuffer =>
      read(new Uint8Array(Math.max(0, end - start)), start).buffer as ArrayBuffer;
    // Each column has room that is used again in the next row group.
    const rooms: Uint8Array[] = [];
    const inRoom = (column: number, start: number, end: number): Uint8Array => {
      const length = Math.max(0, end - start);
      if ((rooms[column]?.length ?? -1) < length) rooms[column] = new Uint8Array(Math.ceil(length * 1.1));
      return read((rooms[column] ?? new Uint8Array(0)).subarray(0, length), start);
    };
    const metadata = await readable(() => parquetMetadataAsync({ byteLength, slice }, { geoparquet: false }));
    return {
      root: { children: metadata.schema[0]?.num_children ?? 0 },
      elements: metadata.schema.slice(1),
      rows: Number(metadata.num_rows),
      rowGroups: metadata.row_groups.map((group) => ({
        rows: Number(group.num_rows),
        columns: group.columns.map((chunk, column) =>
          pagesOf(metadata, chunk, Number(group.num_rows), (start, end) => inRoom(column, start, end)),
        ),
      })),
      metadata: keyValues(metadata),
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function sha256Of(file: number): string {
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafe(HASHED_BYTES);
  let at = 0;
  for (let read = readSync(file, bytes, 0, HASHED_BYTES, at); read > 0;) {
    hash.update(bytes.subarray(0, read));
    at += read;
    read = readSync(file, bytes, 0, HASHED_BYTES, at);
  }
  return hash.digest('hex');
}

const keyValues = ({ key_value_metadata: pairs = [] }: FileMetaData): Record<string, string> =>
  Object.fromEntries(pairs.map(({ key, value = '' }) => [key, value]));

/** A file that its reader cannot read is no copy. The messages of the reader may show what it read. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArchiverError) throw error;
    throw notRead();
  }
}

const notRead = (): ArchiverError =>
  new ArchiverError('CopyNotProven', 'the file of the copy cannot be read back');
