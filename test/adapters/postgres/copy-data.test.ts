import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CopyDataJoiner } from '../../../adapters/postgres/copy-data.ts';

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

const message = fc.record({
  type: fc.constantFrom('d', 'd', 'd', 'd', 'C', 'N', 'Z'),
  body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});

// Seen to fail without: writing the length of a joined message, passing on the rest of a cut one, keeping a cut header.
test('rows arrive whole and in order wherever the network cuts the messages', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(encode));
        const joiner = new CopyDataJoiner();
        const joined = Buffer.concat(cut(bytes, cuts).map((piece) => Buffer.from(joiner.join(piece))));
        expect(withRunsJoined(decode(joined))).toEqual(withRunsJoined(messages));
      },
    ),
    { numRuns: 2000 },
  );
});

test('neighbouring rows become one message, and nothing else is touched', () => {
  const messages = ['a\n', 'b\n', 'c\n'].map((row) => ({ type: 'd', body: Buffer.from(row) }));
  const end = { type: 'c', body: Buffer.alloc(0) };
  const joined = new CopyDataJoiner().join(Buffer.concat([...messages, end].map(encode)));
  expect(decode(joined)).toEqual([{ type: 'd', body: Buffer.from('a\nb\nc\n') }, end]);
});

test('a row of many pieces is handed on piece by piece, and never gathered', () => {
  const row = encode({ type: 'd', body: Buffer.alloc(100_000, 'x') });
  const joiner = new CopyDataJoiner();
  for (const piece of cut(row, [1000])) {
    expect(joiner.join(Buffer.from(piece))).toHaveLength(piece.length);
  }
});

function encode({ type, body }: Message): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function decode(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    messages.push({
      type: bytes.toString('latin1', at, at + 1),
      body: Buffer.from(bytes.subarray(at + 5, end)),
    });
    at = end;
  }
  return messages;
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = lengths[n % lengths.length]!;
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}

/** What the joiner may change: into how many messages a run of rows is cut. */
function withRunsJoined(messages: readonly Message[]): Message[] {
  const runs: Message[] = [];
  for (const { type, body } of messages) {
    const last = runs.at(-1);
    if (type === 'd' && last?.type === 'd')
      runs[runs.length - 1] = { type, body: Buffer.concat([last.body, body]) };
    else runs.push({ type, body });
  }
  return runs;
}
