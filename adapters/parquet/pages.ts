import { zstdDecompressSync } from 'node:zlib';
import type { ColumnChunk, DataPageHeader, FileMetaData, ParquetType, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { ArchiverError } from '../../core/errors.ts';
import type { RawValues } from '../../core/query/raw-values.ts';
import type { ColumnPage } from '../../core/query/ports.ts';
import { giveBack } from './memory.ts';

/**
 * In one piece: by default Node.js makes pieces of 16 KB, and then one of all of them. Into more room than there are bytes: once
 * it is full, Node.js makes as much again.
 */
const COMPRESSORS = {
  ZSTD: (bytes: Uint8Array, length: number) => zstdDecompressSync(bytes, { chunkSize: length + MORE }),
};
const MORE = 64;

/**
 * The pages of one column of a row group, raw; each is valid until the next one is asked for. hyparquet takes headers, levels and values apart; what it would do
 * besides is left out: it makes JavaScript values of the annotated ones, which loses digits, and an array of each column.
 */
export function* pagesOf(
  metadata: FileMetaData,
  { meta_data: chunk }: ColumnChunk,
  rowsOfGroup: number,
  read: (start: number, end: number) => Uint8Array,
): Generator<ColumnPage> {
  if (chunk === undefined || Number(chunk.num_values) !== rowsOfGroup) throw damaged();
  const schemaPath = pathTo(parquetSchema(metadata), chunk.path_in_schema);
  const { element } = schemaPath[1];
  const { codec } = chunk;
  const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
  const bytes = read(start, start + Number(chunk.total_compressed_size));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const reader = { view, offset: 0 };
  let dictionary: RawValues | undefined;
  let dictionaryPage: Uint8Array | undefined;
  let rows = 0;
  while (rows < Number(chunk.num_values)) {
    const { header, page } = reading(() => {
      const header = parquetHeader(reader);
      const compressed = bytes.subarray(reader.offset, reader.offset + header.compressed_page_size);
      reader.offset += header.compressed_page_size;
      return { header, page: decompressPage(compressed, header.uncompressed_page_size, codec, COMPRESSORS) };
    });
    if (header.type === 'DICTIONARY_PAGE') {
      const count = header.dictionary_page_header?.num_values ?? 0;
      if (count > Number(chunk.num_values)) throw damaged();
      const plain = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
      dictionary = reading(() => plainValues(plain, chunk.type, count, element.type_length));
      dictionaryPage = page;
      continue;
    }
    const description = header.data_page_header;
    if (header.type !== 'DATA_PAGE' || description === undefined) throw damaged();
    // hyparquet would make room for as many as a damaged header says.
    const { num_values: inPage } = description;
    if (!(inPage > 0) || inPage > Number(chunk.num_values) - rows) throw damaged();
    yield reading(() => pageOf(page, description, chunk.type, element.type_length, dictionary));
    rows += description.num_values;
    if (page.buffer !== bytes.buffer) giveBack(page);
  }
  if (dictionaryPage !== undefined && dictionaryPage.buffer !== bytes.buffer) giveBack(dictionaryPage);
}

/** A data page of version 1: levels behind their length, then values or indexes. */
function pageOf(
  page: Uint8Array,
  { num_values: rows, encoding }: DataPageHeader,
  type: ParquetType,
  typeLength: number | undefined,
  dictionary: RawValues | undefined,
): ColumnPage {
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
  const levels = new Uint8Array(rows);
  readRleBitPackedHybrid(reader, 1, levels);
  let present = 0;
  for (const level of levels) present += level;
  const some = { rows, levels: present === rows ? undefined : levels };
  if (encoding === 'PLAIN') return { ...some, values: plainValues(reader, type, present, typeLength) };
  if (encoding !== 'RLE_DICTIONARY') throw damaged();
  const indexes = new Int32Array(present);
  const width = reader.view.getUint8(reader.offset++);
  const length = page.byteLength - reader.offset;
  if (width > 0) readRleBitPackedHybrid(reader, width, indexes, length);
  return { ...some, dictionary, indexes };
}

function plainValues(
  reader: { readonly view: DataView; offset: number },
  type: ParquetType,
  count: number,
  typeLength: number | undefined,
): RawValues {
  if (type !== 'BYTE_ARRAY') return readPlain(reader, type, count, typeLength) as RawValues;
  const { view } = reader;
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = reader.offset;
  for (let index = 0; index < count; index += 1) {
    const length = view.getUint32(at, true);
    starts[index] = at + 4;
    at += 4 + length;
    ends[index] = at;
  }
  if (at > view.byteLength) throw damaged();
  return {
    bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
    starts,
    ends,
    length: count,
  };
}

function pathTo(root: SchemaTree, [name]: readonly string[]): [SchemaTree, SchemaTree] {
  const leaf = root.children.find(({ element }) => element.name === name);
  if (leaf === undefined) throw damaged();
  return [root, leaf];
}

const damaged = (): ArchiverError =>
  new ArchiverError('CopyNotProven', 'the file of the copy cannot be read back');

/** The messages of the reader and of zstd may show what they read. */
function reading<T>(work: () => T): T {
  try {
    return work();
  } catch {
    throw damaged();
  }
}
