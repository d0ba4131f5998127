import {
  compressionOf,
  proofOf,
  type Compression,
  type PartitionSetConfig,
  type Proof,
} from '../config/partition-set.ts';
import { segmentAttemptKey } from '../keys.ts';
import type { ArchiveLocation } from '../keys.ts';
import type { Log } from '../ports.ts';
import { splitIfUnfinished, type ExportDatabase, type ExportOutcome } from './export.ts';

/** The object would have more parts than S3 takes. The segment is split. */
export class TooManyParts extends Error {}

/** Writes an object out of a stream. It can read nothing. */
export interface ObjectWriter {
  /**
   * Writes `text` to a new key in constant memory, compressed or as it is, with a checksum for each part. No text makes no
   * object. Nothing is left of an object whose stream failed. `TooManyParts` where it is too large.
   */
  upload(key: string, text: AsyncIterable<Buffer>, compression: Compression | null): Promise<Uploaded>;
}

/** What an upload took, and what S3 got. */
export interface Uploaded {
  readonly textBytes: number;
  readonly storedBytes: number;
}

/** How the segments of a set are streamed. */
export interface StreamSettings {
  readonly proof: Proof;
  readonly compression: Compression | null;
}

/** Those of the configuration. */
export const streamSettings = (set: PartitionSetConfig): StreamSettings => ({
  proof: proofOf(set),
  compression: compressionOf(set),
});

/** The database, as an export that this process streams needs it. */
export interface StreamDatabase extends Pick<ExportDatabase, 'splitSegment'> {
  /**
   * Hands the COPY text of one segment to `write`, in one transaction that holds the segment's advisory lock, and records in
   * it what was written, under which key, and with which proof it counts. `SegmentBusy` where an earlier call still runs
   * on the server; `BoundsViolated` where a row lies out of the recorded bounds; `InvalidConfiguration` where one reading
   * is asked for on a connection without TLS to another machine.
   */
  streamSegment(
    partitionId: number,
    segmentNumber: number,
    settings: StreamSettings,
    keyOf: (location: ArchiveLocation, segmentNumber: number) => string,
    write: (key: string, text: AsyncIterable<Buffer>) => Promise<Uploaded>,
  ): Promise<ExportOutcome>;
}

/**
 * Exports one segment by COPY ... TO STDOUT through this process, for servers without aws_s3. Each attempt has a key of
 * its own, which the ledger gets once it is complete: what an attempt that was given up writes later lies under a key
 * that no reader uses. `random` returns a new value for each attempt. The ledger asks for the proof of `settings`, or for two
 * readings of segments that are read twice in any case.
 */
export async function streamSegment(
  partitionId: number,
  segmentNumber: number,
  settings: StreamSettings,
  {
    database,
    writer,
    random,
    log,
  }: {
    readonly database: StreamDatabase;
    readonly writer: ObjectWriter;
    readonly random: () => string;
    readonly log: Log;
  },
): Promise<{ readonly exported: boolean }> {
  const attempt = random();
  const outcome = await database.streamSegment(
    partitionId,
    segmentNumber,
    settings,
    (location, number) => segmentAttemptKey(location, number, attempt, settings.compression),
    (key, text) => writer.upload(key, text, settings.compression),
  );
  return splitIfUnfinished(partitionId, segmentNumber, outcome, { database, log });
}
