import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import { SidecarError } from './s3.ts';

/** Where an export goes. */
export interface ExportTarget {
  readonly bucket: string;
  readonly key: string;
  readonly region: string | null;
  readonly kmsKey: string | null;
  /** A file that has reached this size ends with the line that it is in. */
  readonly fileLimit: number;
}

interface File {
  readonly key: string;
  readonly uploadId: string;
  readonly parts: CompletedPart[];
  bytes: number;
}

/** Large parts cost the gateway less; 10,000 of them still make 160 GB, far above any file limit. */
const PART_BYTES = 16 * 1024 * 1024;

/** Parts on their way at the same time. With the one that is being filled, they bound the memory of an export. */
const IN_FLIGHT = 3;

const NEWLINE = 0x0a;

/** Buffers of parts that S3 has: garbage of this size is collected late, so they are used again. */
const spareBuffers: Buffer[] = [];

/**
 * One export: its bytes go into multipart uploads that stay open until `complete`, so that nothing is to be seen
 * in S3 of an export whose query fails half way.
 *
 * Every file is a multipart upload, however small, as on RDS, where even small objects have an ETag of one part.
 */
export class Export {
  readonly #client: S3Client;
  readonly #target: ExportTarget;
  readonly #files: File[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #part: Buffer | undefined;
  #filled = 0;
  #failure: unknown;

  constructor(client: S3Client, target: ExportTarget) {
    if (target.bucket === '' || target.key === '') {
      throw new SidecarError('InvalidRequest', 'bucket and file_path must not be empty');
    }
    this.#client = client;
    this.#target = target;
  }

  /** Takes all bytes in and returns when S3 has them, in uploads that are still open. */
  async receive(stream: AsyncIterable<Buffer>): Promise<void> {
    let file = await this.#open();
    for await (const chunk of stream) {
      let rest: Buffer = chunk;
      while (rest.length > 0) {
        const end = this.#endOfFile(file, rest);
        await this.#append(file, end === undefined ? rest : rest.subarray(0, end));
        if (end === undefined) break;
        rest = rest.subarray(end);
        // The next file is opened only when there is something to put into it.
        if (rest.length > 0) {
          await this.#flush(file);
          file = await this.#open();
        }
      }
    }
    await this.#flush(file);
    await Promise.all(this.#inFlight);
    this.#throwFailure();
  }

  /** Makes the files visible under their keys, each at once and whole. */
  async complete(): Promise<{ files: number; bytes: number }> {
    for (const file of this.#files) {
      file.parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
      await this.#client.send(
        new CompleteMultipartUploadCommand({
          ...this.#upload(file),
          MultipartUpload: { Parts: file.parts },
        }),
      );
    }
    return {
      files: this.#files.length,
      bytes: this.#files.reduce((sum, file) => sum + file.bytes, 0),
    };
  }

  /** Throws the uploads away. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    await Promise.allSettled(
      this.#files.map((file) => this.#client.send(new AbortMultipartUploadCommand(this.#upload(file)))),
    );
  }

  /** The offset in the chunk at which the file has reached its limit and its line ends, if it does. */
  #endOfFile(file: File, chunk: Buffer): number | undefined {
    const untilLimit = this.#target.fileLimit - file.bytes;
    if (chunk.length < untilLimit) return undefined;
    const newline = chunk.indexOf(NEWLINE, Math.max(0, untilLimit - 1));
    return newline === -1 ? undefined : newline + 1;
  }

  async #open(): Promise<File> {
    const { bucket, kmsKey } = this.#target;
    const number = this.#files.length + 1;
    const key = number === 1 ? this.#target.key : `${this.#target.key}_part${String(number)}`;
    const { UploadId: uploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ...(kmsKey === null ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey }),
      }),
    );
    if (uploadId === undefined) throw new SidecarError('InternalError', 'S3 opened no upload');
    const file: File = { key, uploadId, parts: [], bytes: 0 };
    this.#files.push(file);
    return file;
  }

  async #append(file: File, bytes: Buffer): Promise<void> {
    let offset = 0;
    while (offset < bytes.length) {
      this.#part ??= spareBuffers.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
      const copied = bytes.copy(this.#part, this.#filled, offset);
      offset += copied;
      this.#filled += copied;
      file.bytes += copied;
      if (this.#filled === PART_BYTES) await this.#send(file);
    }
  }

  /** Sends what has gathered; for an empty file, the one empty part that S3 wants. */
  async #flush(file: File): Promise<void> {
    if (this.#filled > 0 || file.parts.length === 0) await this.#send(file);
  }

  async #send(file: File): Promise<void> {
    while (this.#inFlight.size >= IN_FLIGHT) await Promise.race(this.#inFlight);
    this.#throwFailure();
    const buffer = this.#part ?? Buffer.alloc(0);
    const body = buffer.subarray(0, this.#filled);
    this.#part = undefined;
    this.#filled = 0;
    const part: CompletedPart = { PartNumber: file.parts.length + 1 };
    file.parts.push(part);
    const sending = this.#client
      .send(
        new UploadPartCommand({
          ...this.#upload(file),
          PartNumber: part.PartNumber,
          Body: body,
          ContentLength: body.length,
        }),
      )
      .then(
        ({ ETag }) => {
          part.ETag = ETag;
        },
        (error: unknown) => {
          this.#failure ??= error;
        },
      )
      .finally(() => {
        if (buffer.length === PART_BYTES) spareBuffers.push(buffer);
        this.#inFlight.delete(sending);
      });
    this.#inFlight.add(sending);
  }

  #upload(file: File): { Bucket: string; Key: string; UploadId: string } {
    return { Bucket: this.#target.bucket, Key: file.key, UploadId: file.uploadId };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }
}
