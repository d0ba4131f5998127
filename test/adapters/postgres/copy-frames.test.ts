import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import loadWabt from 'wabt';
import { CopyFrames } from '../../../adapters/postgres/copy-frames.ts';
import { copyBegins, message } from '../../support/wire-messages.ts';

const FOLDER = join(import.meta.dirname, '../../../adapters/postgres');

test('the module is what its source says', async () => {
  const wabt = await loadWabt();
  const source = readFileSync(join(FOLDER, 'copy-frames.wat'), 'utf8');
  const module = wabt.parseWat('copy-frames.wat', source, { simd: true, bulk_memory: true });
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
  const file = join(FOLDER, 'copy-frames.wasm.ts');
  // After a change of copy-frames.wat: delete the file, and this test writes it again.
  const text = `/** What wabt makes of \`copy-frames.wat\`, which a test compares. */\nexport const COPY_FRAMES_WASM =\n  '${base64}';\n`;
  if (!existsSync(file)) writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

const row = (text: string | Uint8Array): Buffer => message('d', text);
const DONE = message('c');
const tag = (rows: number): Buffer => message('C', `COPY ${rows}\0`);
const READY = message('Z', 'T');
const NOTICE = message('N', 'SNOTICE\0Mhello\0\0');
const ERROR = message('E', 'SERROR\0C57014\0Mcanceled\0\0');

interface Read {
  readonly text: Buffer;
  readonly passed: Buffer;
  readonly rows: number;
  readonly expected: string;
}

function read(bytes: Buffer, cuts: readonly number[] = [bytes.length]): Read {
  const [text, passed]: [Buffer[], Buffer[]] = [[], []];
  const frames = new CopyFrames((each) => passed.push(Buffer.from(each)));
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = cuts[n % cuts.length]!;
    // As a socket may have it: the buffer is used again.
    const piece = Buffer.from(bytes.subarray(at, at + length));
    for (const each of frames.take(piece)) text.push(Buffer.from(each));
    piece.fill(0xff);
    at += length;
  }
  return {
    text: Buffer.concat(text),
    passed: Buffer.concat(passed),
    rows: frames.rows,
    expected: frames.expected,
  };
}

const field = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => bytes.filter((byte) => byte !== 9 && byte !== 10));
const longField = fc.integer({ min: 0, max: 200_000 }).map((length) => new Uint8Array(length).fill(0x78));

// Seen to fail without: keeping a header that was cut, the mask of the last block, the rest of a message that was cut.
test('the text of all rows comes out, whatever is in them and wherever the network cuts', () => {
  const someField = fc.oneof({ weight: 30, arbitrary: field }, { weight: 1, arbitrary: longField });
  const someRows = fc
    .integer({ min: 1, max: 20 })
    .chain((columns) =>
      fc.tuple(
        fc.constant(columns),
        fc.array(fc.array(someField, { minLength: columns, maxLength: columns }), { maxLength: 30 }),
      ),
    );
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150_000 })), {
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(someRows, cuts, fc.nat({ max: 3 }), ([columns, rows], sizes, asides) => {
      const lines = rows.map((fields) =>
        Buffer.concat(
          fields.flatMap((each, n) => [Buffer.from(n === 0 ? '' : '\t'), each]).concat(Buffer.of(10)),
        ),
      );
      const aside = Buffer.concat(Array.from({ length: asides }, () => NOTICE));
      const data = lines.flatMap((line, n) => (n % 7 === 3 ? [NOTICE, row(line)] : [row(line)]));
      const all = [aside, copyBegins(columns), ...data, DONE, aside, tag(rows.length), READY, NOTICE];
      const found = read(Buffer.concat(all), sizes);
      expect(found.text.equals(Buffer.concat(lines))).toBe(true);
      expect(found.rows).toBe(rows.length);
      expect(found.expected).toBe('over');
      const notices = lines.filter((_, n) => n % 7 === 3).map(() => NOTICE);
      expect(found.passed).toEqual(
        Buffer.concat([aside, ...notices, aside, tag(rows.length), READY, NOTICE]),
      );
    }),
    { numRuns: 300 },
  );
});

test("an error is the driver's, before the first row and after it", () => {
  expect(read(Buffer.concat([ERROR, READY]))).toMatchObject({ expected: 'over', rows: 0 });
  const after = read(Buffer.concat([copyBegins(1), row('a\n'), ERROR, READY]));
  expect(after).toMatchObject({ expected: 'over', rows: 1 });
  expect(after.passed).toEqual(Buffer.concat([ERROR, READY]));
});

test('without its end the statement is not over', () => {
  const all = [copyBegins(2), row('a\tb\n'), row('c\td\n'), DONE, tag(2), READY];
  for (let missing = 1; missing < all.length; missing += 1) {
    expect(read(Buffer.concat(all.slice(0, missing))).expected).not.toBe('over');
  }
  const bytes = Buffer.concat(all);
  for (let end = 1; end < bytes.length; end += 1) {
    expect(read(bytes.subarray(0, end)).expected).not.toBe('over');
  }
});

// Seen to be read without the type that is awaited and without the two problems of a row.
describe('anything else is refused', () => {
  const whole = [copyBegins(2), row('a\tb\n'), DONE, tag(1), READY];
  test.each<[string, Buffer[]]>([
    ['rows without a beginning', whole.slice(1)],
    ['an end without a beginning', whole.slice(2)],
    ['two beginnings', [copyBegins(2), ...whole]],
    ['a tag before the end of the rows', [copyBegins(2), row('a\tb\n'), tag(1), READY]],
    ['two ends', [copyBegins(2), DONE, DONE]],
    ['an end with contents', [copyBegins(2), message('c', 'x')]],
    ['a row after the end', [copyBegins(2), DONE, row('a\tb\n')]],
    ['readiness without a tag', [copyBegins(2), DONE, READY]],
    ['readiness in the middle of the rows', [copyBegins(2), row('a\tb\n'), READY]],
    ['two tags', [copyBegins(2), DONE, tag(0), tag(0)]],
    ['an error after the tag', [copyBegins(2), DONE, tag(0), ERROR]],
    ['a row of a query', [message('D', Buffer.of(0, 0))]],
    ['a COPY the other way round', [message('G', Buffer.of(0, 0, 0))]],
    ['rows in binary', [message('H', Buffer.of(1, 0, 1, 0, 1))]],
    ['one column in binary', [message('H', Buffer.of(0, 0, 1, 0, 1))]],
    ['a beginning without its columns', [message('H', Buffer.of(0, 0, 1))]],
    ['a beginning with too little', [message('H', Buffer.of(0))]],
    ['an endless beginning', [Buffer.concat([Buffer.from('H'), Buffer.of(0, 1, 0, 0), Buffer.alloc(5000)])]],
    ['an empty row', [copyBegins(1), row('')]],
    ['a length below that of the length', [copyBegins(1), Buffer.from('d\0\0\0\x03')]],
    [
      'a length above what a signed number holds',
      [copyBegins(1), Buffer.from('d\xff\xff\xff\xff', 'latin1')],
    ],
    ['a row without a newline', [copyBegins(1), row('a')]],
    ['a row with two newlines', [copyBegins(1), row('a\nb\n')]],
    ['a newline that is not the end of the row', [copyBegins(1), row('a\nb')]],
    ['a field too few', [copyBegins(2), row('a\n')]],
    ['a field too many', [copyBegins(2), row('a\tb\tc\n')]],
    ['fields where there is no column', [copyBegins(0), row('a\tb\n')]],
  ])('%s', (_, messages) => {
    const bytes = Buffer.concat(messages);
    for (const cut of [bytes.length, 1, 3, 7]) {
      expect(() => read(bytes, [cut])).toThrow(expect.objectContaining({ code: 'DatabaseUnavailable' }));
    }
  });
});
