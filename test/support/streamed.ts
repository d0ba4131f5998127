import { streamDatabase } from '../../adapters/postgres/archive/stream.ts';
import { copyOut, type CopyOut } from '../../adapters/postgres/copy.ts';
import { s3ObjectWriter } from '../../adapters/s3/upload.ts';
import { streamSegment, type ObjectWriter } from '../../core/archive/stream.ts';
import type { NextStep } from '../../core/archive/quarantine.ts';
import type { Compression, Proof } from '../../core/config/partition-set.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { STREAM_VERSION } from '../../core/manifest.ts';
import type { Archiver } from './archiver.ts';
import { trustOneReading } from './export-options.ts';
import { fakeLog } from './fakes.ts';
import { createPartitionSet } from './partition-sets.ts';

/** A partition behind the fence, whose only segment is streamed by hand. */
export interface Quarantined {
  readonly id: number;
  readonly config: RuntimeConfig;
  readonly stream: (attempt: Attempt) => Promise<{ exported: boolean }>;
  readonly writer: ObjectWriter;
  readonly segment: () => Promise<SegmentRow>;
}

/** One attempt to stream. */
interface Attempt {
  /** Stands in the key. */
  readonly letter: string;
  /** Default: one that changes nothing. */
  readonly writer?: ObjectWriter;
  readonly timeoutMs?: number;
  /** Default: the product's first reader. */
  readonly reader?: CopyOut;
  readonly isPrivate?: () => boolean;
}

/** What the ledger has of the segment. */
interface SegmentRow {
  readonly state: string;
  readonly key: string | null;
  readonly sent: string | null;
  readonly proof: Proof;
}

let sets = 0;

/** A partition of a set of its own, as one segment. Of one reading it is not one of those that are read twice. */
export async function quarantined(
  archiver: Archiver,
  {
    values = `'row ' || g`,
    proof = 'two-readings',
    drop = false,
    compression = null,
    rowsPerMonth = 1000,
  }: {
    readonly values?: string;
    readonly proof?: Proof;
    readonly drop?: boolean;
    readonly compression?: Compression | null;
    readonly rowsPerMonth?: number;
  } = {},
): Promise<Quarantined> {
  const { database, config: configure, steps, open, s3, bucket } = archiver;
  const { sql } = database;
  const table = `streamed_${(sets += 1)}`;
  await createPartitionSet(sql, { table, values, months: 3, rowsPerMonth });
  const config = configure([{ schema: 'app', table, export: 'stream', proof, drop, graceDays: 0 }]);
  const all = steps(config);
  const request = await all.preflight({});
  await all.maintain(request);
  const { partitions } = await all.detect(request);
  const id = partitions[0]!;
  await all.quarantine(id, request);
  if (proof === 'one-reading') {
    await trustOneReading(sql);
    await sql`update partition_archiver.segment set mismatched_at = null`;
    const [{ chosen }] = await sql<[{ chosen: boolean }]>`
      select partition_archiver.proof_of_stream(archive_id, 0, 'one-reading', ${STREAM_VERSION}) = 'two-readings' as chosen
        from partition_archiver.partition where id = ${id}`;
    if (chosen) return quarantined(archiver, { values, proof, drop, compression, rowsPerMonth });
  }
  return {
    id,
    config,
    writer: s3ObjectWriter(s3, bucket),
    stream: async ({
      letter,
      writer = s3ObjectWriter(s3, bucket),
      timeoutMs = 60_000,
      reader,
      isPrivate,
    }) => {
      const connection = open('archiver_read');
      try {
        const opened = () => open('archiver_read');
        const streaming = streamDatabase(connection, opened, timeoutMs, reader, isPrivate);
        const random = (): string => letter.repeat(16);
        return await streamSegment(
          id,
          0,
          { proof, compression },
          { database: streaming, writer, random, log: fakeLog() },
        );
      } finally {
        await connection.end({ timeout: 1 });
      }
    },
    segment: async () => {
      const [row] = await sql<[SegmentRow]>`
        select s.state, s.object_key as key, s.sent_sha256 as sent, s.proof
          from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
         where l.id = ${id} and s.number = 0`;
      return row;
    },
  };
}

/** Verifies the segment, and commits. */
export async function commitStreamed(
  { steps: wired }: Archiver,
  { id, config }: Quarantined,
): Promise<{ readonly verified: unknown; readonly next: NextStep }> {
  const steps = wired(config);
  const request = await steps.preflight({});
  return { verified: await steps.verify(id, 0), next: await steps.commit(id, request) };
}

/** A writer that changes what it is given. */
export const changing = (
  writer: ObjectWriter,
  change: (bytes: Buffer, n: number) => Buffer[],
): ObjectWriter => ({
  upload: (key, text, compression) =>
    writer.upload(
      key,
      (async function* () {
        let n = 0;
        for await (const chunk of text) yield* change(chunk, (n += 1));
      })(),
      compression,
    ),
});

/** The text where a buffer was filled again before its first contents were taken: the length stays. */
export const filledAgain = (text: Buffer): Buffer => {
  const length = Math.floor(text.length / 4);
  return Buffer.concat([text.subarray(length, 2 * length), text.subarray(length)]);
};

/**
 * A reader that does something wrong with the text, the same thing each time. What the server said is that, or, of a reader
 * that believes itself, what it handed on.
 */
export const faulty =
  (change: (text: Buffer) => Buffer, said: 'what the server said' | 'what it handed on'): CopyOut =>
  (connection, doing, statement, read, mode) =>
    copyOut(
      connection,
      doing,
      statement,
      (rows) => {
        const handedOn = { rows: 0, bytes: 0 };
        const changed = (async function* () {
          const chunks: Buffer[] = [];
          for await (const chunk of rows) chunks.push(Buffer.from(chunk));
          const text = change(Buffer.concat(chunks));
          handedOn.rows = text.filter((byte) => byte === 0x0a).length;
          handedOn.bytes = text.length;
          yield text;
        })();
        const saying = said === 'what it handed on' ? () => handedOn : () => rows.said!();
        return read(Object.assign(changed, { said: saying }));
      },
      mode,
    );
