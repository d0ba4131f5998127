import type { Duplex } from 'node:stream';
import {
  constants,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
  type Gunzip,
  type ZstdDecompress,
} from 'node:zlib';
import type { Compression } from '../../core/config/partition-set.ts';
import { counted } from '../../core/counted.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { CompressedText } from '../../core/ports.ts';

/** The fastest: of the benchmark's narrow rows gzip leaves 25 % at 72 MB a CPU second, zstd 16 % at 114 (Node.js 24). */
const LEVEL = 1;
const CHUNK_BYTES = 64 * 1024;

/** 8 MiB, as power of two; level 1 has 512 KiB. A frame may ask for 128 MiB otherwise. */
const LARGEST_WINDOW = 23;

/** The checksum of the contents, which gzip always has, is an option of zstd. */
const zstdParameters = {
  [constants.ZSTD_c_compressionLevel]: LEVEL,
  [constants.ZSTD_c_checksumFlag]: 1,
};

const COMPRESS: Readonly<Record<Compression, () => Duplex>> = {
  gzip: () => createGzip({ level: LEVEL, chunkSize: CHUNK_BYTES }),
  zstd: () => createZstdCompress({ params: zstdParameters, chunkSize: CHUNK_BYTES }),
};

const DECOMPRESS: Readonly<Record<Compression, () => Gunzip | ZstdDecompress>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  zstd: () =>
    createZstdDecompress({
      params: { [constants.ZSTD_d_windowLogMax]: LARGEST_WINDOW },
      chunkSize: CHUNK_BYTES,
    }),
};

/** Compresses text into one gzip member or one zstd frame, in constant memory; no text into nothing. */
export async function* compress(
  text: AsyncIterable<Buffer>,
  compression: Compression,
): AsyncGenerator<Buffer> {
  const chunks = text[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const stream = COMPRESS[compression]();
  void feed(stream, first.value, chunks, () => undefined);
  yield* stream as AsyncIterable<Buffer>;
}

/**
 * The text in one gzip member or one zstd frame, in constant memory. `ArchiveDamaged` unless it is a whole one of exactly
 * that many bytes with nothing behind it: Node.js 24 ignores some of what follows the end, and would decompress on for ever.
 */
export async function* decompress(
  stored: AsyncIterable<Buffer>,
  { compression, bytes }: CompressedText,
  doing: string,
): AsyncGenerator<Buffer> {
  const damaged = (what: string): ArchiverError => new ArchiverError('ArchiveDamaged', `${doing}: ${what}`);
  const chunks = stored[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) throw damaged(`it is empty, and no ${compression}`);
  const stream = DECOMPRESS[compression]();
  let fed = 0;
  let text = 0;
  void feed(stream, first.value, chunks, (length) => (fed += length));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      text += chunk.length;
      if (text > bytes) throw damaged(`it has more than ${counted(bytes, 'byte')}`);
      yield chunk;
    }
  } catch (error) {
    throw isOfZlib(error) ? damaged(`it is no whole ${compression} (${error.code})`) : error;
  }
  if (text < bytes) throw damaged(`it has ${counted(text, 'byte')}, not ${bytes}`);
  if (stream.bytesWritten !== fed) throw damaged(`something follows the end of its ${compression}`);
}

/**
 * Writes all chunks, each once the one before it was taken: its buffer may be used again then. A failure of theirs becomes
 * the stream's.
 */
async function feed(
  stream: Duplex,
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  count: (length: number) => void,
): Promise<void> {
  // What fails after its reader is through would end the process.
  stream.on('error', () => undefined);
  try {
    for (let chunk = first; ;) {
      count(chunk.length);
      await written(stream, chunk);
      const next = await chunks.next();
      if (next.done === true) break;
      chunk = next.value;
    }
    stream.end();
  } catch (error) {
    stream.destroy(error as Error);
  }
}

const written = (stream: Duplex, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/** By its code alone: an error of Node.js is none of this realm's where tests run in one of their own. */
const isOfZlib = (error: unknown): error is { code: string } =>
  typeof error === 'object' && error !== null && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
