import { Copy } from '../../adapters/postgres/copy.ts';
import { CopyReading } from '../../adapters/postgres/copy-reading.ts';
import type { CopyFrames } from '../../adapters/postgres/copy-frames.ts';
import { verifySegment } from '../../core/archive/verify.ts';
import type { Segment } from '../../core/partition.ts';
import { silentLog, type ObjectStore } from '../../core/ports.ts';
import { LineDigester } from '../../core/proof/line-digest.ts';
import { agreed } from '../../core/proof/sent.ts';

/** A reader of frames, mutated or not. */
export type FrameReader = new (pass: (bytes: Buffer) => void) => CopyFrames;

/** What a server sends for one COPY, and the text of its rows. */
export interface Conversation {
  readonly name: string;
  readonly bytes: Buffer;
  readonly text: Buffer;
}

/** What becomes of an export and its proof by one reading, with this reader; `null`: nothing was proven. */
export async function proveByOneReading(
  Reader: FrameReader,
  bytes: Buffer,
  chunkBytes: number,
): Promise<Buffer | null> {
  try {
    const { stored, sent } = await exportBy(Reader, bytes, chunkBytes);
    return (await verify(stored, sent)) ? stored : null;
  } catch {
    return null;
  }
}

/** Export: from the bytes of the connection to what S3 has, and what is recorded of it. */
async function exportBy(
  Reader: FrameReader,
  bytes: Buffer,
  chunkBytes: number,
): Promise<{ stored: Buffer; sent: ReturnType<typeof agreed> }> {
  const driver = new Driver();
  const pass = (passed: Buffer): void => {
    driver.take(passed);
  };
  let at = 0;
  const next = (): void => {
    if (at >= bytes.length) {
      reading.close();
      driver.close();
      return;
    }
    // As a socket may have it: the buffer is used again.
    const piece = Buffer.from(bytes.subarray(at, at + chunkBytes));
    at += chunkBytes;
    reading.arrive(piece);
  };
  const source = { pause: () => undefined, resume: () => setImmediate(next), pass, release: () => undefined };
  const reading = new CopyReading(source, new Reader(pass));
  const copy = new Copy(reading, driver.result);
  await copy.begin();
  const digester = new LineDigester();
  const parts: Buffer[] = [];
  for await (const chunk of copy) {
    digester.update(chunk);
    parts.push(Buffer.from(chunk));
  }
  const stored = Buffer.concat(parts);
  return { stored, sent: agreed('key', digester.digest(), copy.said(), stored.length) };
}

/** The driver, which has all messages but the rows: it knows the tag, an error, and the end of the connection. */
class Driver {
  readonly #passed: Buffer[] = [];
  readonly result: Promise<{ command: string; count: number }>;
  #resolve: (result: { command: string; count: number }) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.result = new Promise((resolve, reject) => {
      [this.#resolve, this.#reject] = [resolve, reject];
    });
    this.result.catch(() => undefined);
  }

  take(bytes: Buffer): void {
    this.#passed.push(Buffer.from(bytes));
    const all = Buffer.concat(this.#passed).toString('latin1');
    const tag = /C[\0-\xff]{4}(COPY) (\d+)\0Z/.exec(all);
    if (all.includes('SERROR')) this.#reject(new Error('the server failed'));
    else if (tag !== null) this.#resolve({ command: tag[1] ?? '', count: Number(tag[2]) });
  }

  close(): void {
    this.#reject(new Error('the connection is gone'));
  }
}

/** Verify, as it is: it knows the ledger and S3. */
async function verify(stored: Buffer, sent: ReturnType<typeof agreed>): Promise<boolean> {
  const location = { database: 'd', parentSchema: 's', parentName: 't', period: '1', archiveId: 'a' };
  const exported = {
    key: 'key',
    rows: sent.rows,
    files: stored.length === 0 ? 0 : 1,
    bytes: sent.bytes,
    sentSha256: sent.sha256,
    proof: 'one-reading' as const,
    compression: null,
    storedBytes: null,
  };
  const segment: Segment = {
    number: 0,
    firstBlock: 0,
    nextBlock: null,
    state: 'exported',
    location,
    exported,
  };
  const notAsked = (): Promise<never> => Promise.reject(new Error('the table is not read'));
  const { verified } = await verifySegment(1, 0, {
    database: {
      segment: () => Promise.resolve(segment),
      readSegment: notAsked,
      countOutOfBounds: notAsked,
      recordMatch: () => Promise.resolve(),
      recordMismatch: () => Promise.resolve(),
    },
    store: storeOf(stored),
    clock: { now: () => new Date(0), sleep: () => Promise.resolve() },
    log: silentLog,
  });
  return verified;
}

const storeOf = (stored: Buffer): ObjectStore => ({
  bucket: 'b',
  region: 'r',
  list: () =>
    Promise.resolve(stored.length === 0 ? [] : [{ key: 'key', versionId: 'v', bytes: stored.length }]),
  read: async function* () {
    await Promise.resolve();
    yield stored;
  },
  current: () => Promise.reject(new Error('not asked for')),
  head: () => Promise.reject(new Error('not asked for')),
  create: () => Promise.reject(new Error('not asked for')),
  markProven: () => Promise.resolve(),
  protect: () => Promise.resolve(),
});
