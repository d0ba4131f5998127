import { constants, zstdCompressSync } from 'node:zlib';
import type { ColumnChunk, Encoding } from 'hyparquet';
import type { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { ColumnValues } from '../../core/query/column-values.ts';
import type { ParquetElement } from '../../core/query/parquet-map.ts';
import { bitWidth, dictionaryOf, type Dictionary } from './dictionary.ts';
import { hybridBound, writeHybrid } from './hybrid.ts';
import { giveBack } from './memory.ts';
import { statisticsOf } from './statistics.ts';

/** Plain bytes of a page, about. */
const PAGE_BYTES = 1024 * 1024;
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
/** Bytes that zstd adds to what it cannot compress, at most and rounded up. */
const zstdBound = (length: number): number => length + (length >> 8) + 128;

/** Room in which a page is put together, used again for the next one. */
let scratch = new Uint8Array(PAGE_BYTES * 2);
const room = (length: number): void => {
  if (scratch.length < length) scratch = new Uint8Array(length);
};
/** Above this, the room is given back. */
const MOST_KEPT = 16 * 1024 * 1024;

/** hyparquet-writer's writer, whose bytes go to a file whenever it is told so. */
export interface PageWriter extends ByteWriter {
  flush(): void;
}

/**
 * Writes one column of a row group: data pages of version 1, which every reader takes, zstd, and a dictionary where it
 * halves the column. hyparquet-writer writes the headers and the footer; its own encoder makes an object of each value
 * and takes several times as long.
 */
export function writeColumnChunk(
  writer: PageWriter,
  element: ParquetElement,
  column: ColumnValues,
): ColumnChunk {
  const start = writer.offset;
  const dictionary = dictionaryOf(column);
  let uncompressed = dictionary === null ? 0 : writeDictionary(writer, column, dictionary);
  const dictionaryOffset = dictionary === null ? undefined : BigInt(start);
  const dataOffset = BigInt(writer.offset);
  const encoding: Encoding = dictionary === null ? 'PLAIN' : 'RLE_DICTIONARY';
  const width = dictionary === null ? 0 : bitWidth(dictionary.count);
  const plain = dictionary === null ? plainSize(column) : (column.values * width) / 8;
  const pages = Math.max(1, Math.ceil(plain / PAGE_BYTES));
  const rowsOfPage = Math.ceil(column.rows / pages);
  let value = 0;
  for (let row = 0; row < column.rows; row += rowsOfPage) {
    const end = Math.min(column.rows, row + rowsOfPage);
    const present = countPresent(column.present, row, end);
    let at = writeLevels(column.present, row, end);
    if (dictionary !== null) {
      room(at + 1 + hybridBound(present, width));
      scratch[at++] = width;
      at = writeHybrid(dictionary.indexes, value, value + present, width, scratch, at);
    } else at = writePlain(column, value, value + present, at);
    uncompressed += writePage(writer, at, {
      type: 'DATA_PAGE',
      data_page_header: {
        num_values: end - row,
        encoding,
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    });
    value += present;
  }
  if (scratch.length > MOST_KEPT) scratch = new Uint8Array(PAGE_BYTES * 2);
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: element.type,
      encodings: dictionary === null ? ['PLAIN', 'RLE'] : ['PLAIN', 'RLE', 'RLE_DICTIONARY'],
      path_in_schema: [element.name],
      codec: 'ZSTD',
      num_values: BigInt(column.rows),
      total_uncompressed_size: BigInt(uncompressed),
      total_compressed_size: BigInt(writer.offset - start),
      data_page_offset: dataOffset,
      ...(dictionaryOffset !== undefined && { dictionary_page_offset: dictionaryOffset }),
      statistics: statisticsOf(column, dictionary),
    },
  };
}

const plainSize = ({ kind, width, values, used }: ColumnValues): number =>
  kind === 'boolean' ? Math.ceil(values / 8) : width === 0 ? used : values * width * 4;

function countPresent(present: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let row = from; row < to; row += 1) count += present[row] ?? 0;
  return count;
}

/** Definition levels behind their length, at the beginning of the page. */
function writeLevels(present: Uint8Array, from: number, to: number): number {
  room(4 + hybridBound(to - from, 1));
  const end = writeHybrid(present, from, to, 1, scratch, 4);
  new DataView(scratch.buffer).setUint32(0, end - 4, true);
  return end;
}

function writePlain(column: ColumnValues, from: number, to: number, start: number): number {
  const { kind, width, words, bytes } = column;
  if (kind === 'boolean') {
    room(start + Math.ceil((to - from) / 8));
    scratch.fill(0, start, start + Math.ceil((to - from) / 8));
    for (let index = from; index < to; index += 1) {
      const at = start + ((index - from) >> 3);
      scratch[at] = (scratch[at] ?? 0) | ((words[index] ?? 0) << ((index - from) & 7));
    }
    return start + Math.ceil((to - from) / 8);
  }
  const source =
    width === 0
      ? bytes.subarray(from === 0 ? 0 : words[from - 1], to === 0 ? 0 : words[to - 1])
      : new Uint8Array(words.buffer, from * width * 4, (to - from) * width * 4);
  if (scratch.length < start + source.length) {
    const levels = scratch.slice(0, start);
    room(start + source.length);
    scratch.set(levels);
  }
  scratch.set(source, start);
  return start + source.length;
}

function writeDictionary(writer: PageWriter, column: ColumnValues, { first, count }: Dictionary): number {
  const { width, words, bytes } = column;
  let at = 0;
  if (width === 0) {
    for (let entry = 0; entry < count; entry += 1) {
      const position = first[entry] ?? 0;
      const value = bytes.subarray(position === 0 ? 0 : words[position - 1], words[position]);
      if (scratch.length < at + value.length) {
        const grown = new Uint8Array(Math.max(scratch.length * 2, at + value.length));
        grown.set(scratch.subarray(0, at));
        scratch = grown;
      }
      scratch.set(value, at);
      at += value.length;
    }
  } else {
    at = count * width * 4;
    room(at);
    const entries = new Int32Array(scratch.buffer, 0, count * width);
    for (let entry = 0; entry < count; entry += 1) {
      const from = (first[entry] ?? 0) * width;
      for (let word = 0; word < width; word += 1) entries[entry * width + word] = words[from + word] ?? 0;
    }
  }
  return writePage(writer, at, {
    type: 'DICTIONARY_PAGE',
    dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
  });
}

type PageKind = Omit<
  Parameters<typeof writePageHeader>[1],
  'uncompressed_page_size' | 'compressed_page_size'
>;

/** Compresses what stands in the first `length` bytes of the scratch room; returns the uncompressed size with header. */
function writePage(writer: PageWriter, length: number, header: PageKind): number {
  // In one piece: by default Node.js makes pieces of 16 KB, and then one of all of them.
  const options = { params: ZSTD_PARAMS, chunkSize: zstdBound(length) };
  const compressed = zstdCompressSync(scratch.subarray(0, length), options);
  const start = writer.offset;
  writePageHeader(writer, {
    ...header,
    uncompressed_page_size: length,
    compressed_page_size: compressed.length,
  });
  const headerBytes = writer.offset - start;
  writer.appendBytes(compressed);
  // Page by page: a column that does not compress would take as much again here.
  writer.flush();
  giveBack(compressed);
  return headerBytes + length;
}
