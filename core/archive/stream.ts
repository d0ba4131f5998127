import type { Proof } from '../config/partition-set.ts';
import { segmentAttemptKey } from '../keys.ts';
import type { ArchiveLocation } from '../keys.ts';
import type { Log } from '../ports.ts';
import { splitIfTimedOut, type ExportDatabase, type ExportOutcome } from './export.ts';

/** Writes an object out of a stream. It can read nothing. */
export interface ObjectWriter {
  /**
   * Writes `bytes` to a new key in constant memory, with a checksum for each part, and returns how many there were; none
   * make no object. Nothing is left of an object whose stream failed.
   */
  upload(key: string, bytes: AsyncIterable<Buffer>): Promise<number>;
}

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
    proof: Proof,
    keyOf: (location: ArchiveLocation, segmentNumber: number) => string,
    write: (key: string, text: AsyncIterable<Buffer>) => Promise<number>,
  ): Promise<ExportOutcome>;
}

/**
 * Exports one segment by COPY ... TO STDOUT through this process, for servers without aws_s3. Each attempt has a key of
 * its own, which the ledger gets once it is complete: what an attempt that was given up writes later lies under a key
 * that no reader uses. `random` returns a new value for each attempt. The ledger asks for `proof`, or for two readings of
 * segments that are read twice in any case.
 */
export async function streamSegment(
  partitionId: number,
  segmentNumber: number,
  proof: Proof,
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
    proof,
    (location, number) => segmentAttemptKey(location, number, attempt),
    (key, text) => writer.upload(key, text),
  );
  return splitIfTimedOut(partitionId, segmentNumber, outcome, { database, log });
}
