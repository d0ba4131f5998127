import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import { TooManyParts, type ObjectWriter } from '../../core/archive/stream.ts';
import { ArchiverError } from '../../core/errors.ts';
import { compress } from '../zlib/compression.ts';
import { translated } from './object-store.ts';

/** Two buffers of a part's size serve all parts. */
const PART_BYTES = 8 * 1024 * 1024;

/** The most that S3 takes: 78 GiB. The largest segment, 3 GiB of a table, has as much text if TOAST has it compressed to 1/26. */
const MOST_PARTS = 10_000;

/** By its encoding aws_s3 knows that it is to decompress gzip. It reads no zstd. */
const HEADERS = {
  none: { ContentType: 'text/tab-separated-values' },
  gzip: { ContentType: 'text/tab-separated-values', ContentEncoding: 'gzip' },
  zstd: { ContentType: 'application/zstd' },
} as const;

/** Where an upload goes. */
interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

/** Writes objects to S3 in parts. Needs s3:PutObject and s3:AbortMultipartUpload, and reads nothing. */
export function s3ObjectWriter(
  client: S3Client,
  bucket: string,
  partBytes = PART_BYTES,
  mostParts = MOST_PARTS,
): ObjectWriter {
  return {
    upload: async (key, text, compression) => {
      const target = { Bucket: bucket, Key: key };
      const counted = new Counted(text);
      const parts = inParts(compression === null ? counted : compress(counted, compression), partBytes);
      const first = await parts.next();
      if (first.done === true) return { textBytes: 0, storedBytes: 0 };
      return translated(`writing ${key}`, async () => {
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({
            ...target,
            ...HEADERS[compression ?? 'none'],
            ChecksumAlgorithm: 'SHA256',
          }),
        );
        try {
          const sent = await sendParts(client, { ...target, UploadId }, first.value, parts, mostParts);
          await client.send(
            new CompleteMultipartUploadCommand({
              ...target,
              UploadId,
              MultipartUpload: { Parts: sent.parts },
            }),
          );
          return { textBytes: counted.bytes, storedBytes: sent.bytes };
        } catch (error) {
          await abort(client, target, UploadId);
          throw isGone(error)
            ? new ArchiverError('ObjectStoreUnavailable', `${key}: its upload is gone`)
            : error;
        }
      });
    },
  };
}

/** Counts the bytes that go by. */
class Counted implements AsyncIterable<Buffer> {
  readonly #text: AsyncIterable<Buffer>;
  bytes = 0;

  constructor(text: AsyncIterable<Buffer>) {
    this.#text = text;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const chunk of this.#text) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}

/** Sends one part while the next one is gathered. */
async function sendParts(
  client: S3Client,
  upload: Target & { readonly UploadId: string | undefined },
  first: Buffer,
  rest: AsyncIterator<Buffer, void>,
  mostParts: number,
): Promise<{ readonly parts: CompletedPart[]; readonly bytes: number }> {
  const parts: CompletedPart[] = [];
  let bytes = 0;
  for (let part: Buffer | undefined = first; part !== undefined;) {
    if (parts.length === mostParts)
      throw new TooManyParts(`${upload.Key} would have more than ${mostParts} parts`);
    bytes += part.length;
    const [sent, next]: [CompletedPart, IteratorResult<Buffer, void>] = await both(
      sendPart(client, upload, part, parts.length + 1),
      rest.next(),
    );
    parts.push(sent);
    part = next.done === true ? undefined : next.value;
  }
  return { parts, bytes };
}

/** Both, or the first failure once both have ended: an upload that is still under way would outlive its abort. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/**
 * S3 refuses a part whose bytes have another hash than the request says. `x-amz-content-sha256`, which every server compares,
 * is set here, since the SDK would hash the part a second time. A bucket with a default retention (Object Lock) also requires
 * a checksum.
 */
async function sendPart(
  client: S3Client,
  upload: Target & { readonly UploadId: string | undefined },
  part: Buffer,
  number: number,
): Promise<CompletedPart> {
  const hash = createHash('sha256').update(part).digest();
  const ChecksumSHA256 = hash.toString('base64');
  const command = new UploadPartCommand({
    ...upload,
    PartNumber: number,
    Body: part,
    ContentLength: part.length,
    ChecksumSHA256,
  });
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      headers['x-amz-content-sha256'] = hash.toString('hex');
      return next(args);
    },
    { step: 'build', name: 'hashOfPart' },
  );
  const { ETag } = await client.send(command);
  if (ETag === undefined) throw new ArchiverError('ObjectStoreUnavailable', `part ${number} has no ETag`);
  return { ETag, PartNumber: number, ChecksumSHA256 };
}

/**
 * The answer to an earlier request was lost, which had ended the upload already, or it was aborted. Another attempt has
 * another key.
 */
const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.name === 'NoSuchUpload';

/** A part that is left costs storage and nothing else: the bucket's lifecycle removes it. */
async function abort(client: S3Client, target: Target, UploadId: string | undefined): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
  } catch {
    // The error that led here is the one to tell.
  }
}

/**
 * Gathers a stream into parts, since a piece of it may be overwritten by the next. A part is overwritten once the second one
 * after it is asked for: with a new buffer for each part, V8 marked its whole heap for each (1.0 s of CPU for 96 MB, now 0.6).
 */
async function* inParts(bytes: AsyncIterable<Buffer>, partBytes: number): AsyncGenerator<Buffer, void> {
  let part: Buffer = Buffer.allocUnsafeSlow(partBytes);
  let other: Buffer | undefined;
  let filled = 0;
  for await (const chunk of bytes) {
    for (let taken = 0; taken < chunk.length;) {
      const length = Math.min(chunk.length - taken, partBytes - filled);
      chunk.copy(part, filled, taken, taken + length);
      taken += length;
      filled += length;
      if (filled === partBytes) {
        yield part;
        [part, other] = [other ?? Buffer.allocUnsafeSlow(partBytes), part];
        filled = 0;
      }
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
