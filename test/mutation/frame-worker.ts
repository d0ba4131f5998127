/** Tries one mutated reader after the other, outside of jest's module loader. */
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { ArchiverError } from '../../core/errors.ts';
import { compareContents } from '../../core/proof/contents.ts';
import { proveByOneReading, type FrameReader } from './frame-chain.ts';
import { CONVERSATIONS } from './frame-conversations.ts';
import type { MutatedReader } from './frame-mutants.ts';

/** A header cut in two, rows cut anywhere, and all at once. */
const CHUNKS = [7, 4_096, 65_536];
const LONG = 10_000;

/** Of the loops in JavaScript, and turns of node's, for one conversation; as it is, there are fewer than 1,000. */
const MOST_ROUNDS = 2_000;

/** What becomes of the conversations. */
export type FrameFate =
  /** All are proven, and S3 has what the server sent. */
  | 'right'
  /** At least one is not proven, and none is wrongly. */
  | 'refused'
  /** S3 has other text than the server sent; one reading proves it, and two do not. */
  | 'found by the second reading'
  /** Both do. */
  | 'wrong';

let rounds = 0;
const round = (): void => {
  rounds += 1;
  if (rounds > MOST_ROUNDS) throw new Error('it loops for ever');
};

async function fateOf({ script, wasm }: MutatedReader): Promise<FrameFate> {
  let fate: FrameFate = 'right';
  let Reader: FrameReader;
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a class as it was mutated
    const make = new Function(
      'ArchiverError',
      'COPY_FRAMES_WASM',
      'round',
      `${script}\nreturn CopyFrames;`,
    ) as (...given: unknown[]) => FrameReader;
    Reader = make(ArchiverError, wasm, round);
  } catch {
    return 'refused';
  }
  for (const { bytes, text } of CONVERSATIONS) {
    for (const chunk of bytes.length > LONG ? CHUNKS.slice(1) : CHUNKS) {
      rounds = 0;
      const over = new AbortController();
      const proof = proveByOneReading(Reader, bytes, chunk).finally(() => over.abort());
      const stored = await Promise.race([proof, waitsForEver(over.signal)]);
      if (stored === null) fate = 'refused';
      else if (!stored.equals(text)) {
        const { kind } = await compareContents(
          (use) => use(piecesOf(text)),
          () => piecesOf(stored),
        );
        return kind === 'match' ? 'wrong' : 'found by the second reading';
      }
    }
  }
  return fate;
}

/** Nothing is waited for that takes longer than node's next turn. */
async function waitsForEver(over: AbortSignal): Promise<null> {
  for (let turns = 0; turns < MOST_ROUNDS && !over.aborted; turns += 1) await turn();
  return null;
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield bytes;
}

parentPort?.on('message', (reader: MutatedReader) => {
  void fateOf(reader).then((fate) => parentPort?.postMessage(fate));
});
