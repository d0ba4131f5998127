import { expect, test } from '@jest/globals';
import { CopyTextParser } from '../../../core/query/copy-text.ts';
import { mapColumns } from '../../../core/query/parquet-map.ts';
import { segmentOf, makeCopy, useDirectory } from '../../support/parquet-copy.ts';

const directory = useDirectory();
const one = (type: string) => [{ name: 'c', type }];

/** Columns that had to become text, and why; or the error. */
function parse(types: readonly string[], text: string, piece = 1 << 20): [string, string][] | string {
  const columns = mapColumns(types.map((type, index) => ({ name: `c${String(index)}`, type })));
  const parser = new CopyTextParser(columns, () => undefined, 1 << 20);
  const bytes = Buffer.from(text, 'latin1');
  try {
    for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece));
    parser.end();
  } catch (error) {
    return (error as Error).message;
  }
  return [...parser.fallbacks];
}

// Seen to fail without the check of leading zeros, of the range, of digits after the point, of days of a month, of zeros
// at the end of a fraction, and of the delimiter behind a value.
test.each([
  [
    'integer',
    ['0', '-1', '2147483647', '-2147483648', '\\N'],
    ['-0', '01', '', '-', '2147483648', '1 ', '+1', '1.0'],
  ],
  ['smallint', ['-32768', '32767'], ['32768', '-32769']],
  ['bigint', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', '00000000000000001']],
  ['boolean', ['t', 'f'], ['true', 'T', '', '1']],
  [
    'numeric(6,2)',
    ['0.00', '-0.01', '9999.99'],
    ['-0.00', '1', '1.0', '1.000', '10000.00', '01.00', '.50', 'NaN', 'Infinity'],
  ],
  ['numeric(2,2)', ['0.99', '-0.99'], ['1.00']],
  ['numeric(38,0)', ['9'.repeat(38), `-${'9'.repeat(38)}`], ['9'.repeat(39), '1.']],
  ['numeric(19,9)', ['9999999999.999999999', '-0.000000001'], ['99999999990.000000000']],
  [
    'date',
    ['0001-01-01', '9999-12-31', '2024-02-29', '2000-02-29'],
    [
      '2023-02-29',
      '1900-02-29',
      '10000-01-01',
      '0044-03-15 BC',
      'infinity',
      '0000-01-01',
      '2024-13-01',
      '2024-1-01',
    ],
  ],
  [
    'timestamp without time zone',
    ['1970-01-01 00:00:00', '9999-12-31 23:59:59.999999', '2024-01-01 00:00:00.1'],
    [
      '2024-01-01 24:00:00',
      '2024-01-01 00:00:00.10',
      '2024-01-01 00:00:00.',
      '2024-01-01 00:00:00.1234567',
      '-infinity',
      '2024-01-01T00:00:00',
      '2024-01-01 00:00:00+00',
    ],
  ],
  [
    'timestamp with time zone',
    ['0001-01-01 00:00:00+00'],
    [
      '2024-01-01 00:00:00',
      '2024-01-01 00:00:00+01',
      '2024-01-01 00:00:00+00 BC',
      '2024-01-01 00:00:00+00:30',
    ],
  ],
  [
    'double precision',
    ['0', '-0', '1e-10', '1.5', '1.7976931348623157e+308', 'NaN', '-Infinity'],
    ['', ' 1', '1.0', '1e5', '0x10', 'nan', 'inf', '1_0'],
  ],
  ['bytea', ['\\\\x', '\\\\x00ff'], ['\\\\x0', '\\\\x0G', '\\\\xFF', 'x00', '']],
])('%s is held only where it is written exactly as PostgreSQL writes it', (type, exact, inexact) => {
  for (const value of exact) expect([value, parse([type], `${value}\n`)]).toEqual([value, []]);
  for (const value of inexact) {
    expect([value, parse([type], `${value}\n`)]).toEqual([value, [['c0', expect.any(String)]]]);
  }
});

test('the reason says what a value is, and shows nothing of it', () => {
  const reason = (type: string, value: string) => parse([type], `${value}\n`)[0]?.[1];
  expect(reason('date', 'infinity')).toBe('a value is infinite');
  expect(reason('numeric(4,1)', 'NaN')).toBe('a value is NaN');
  expect(reason('date', '0044-03-15 BC')).toBe('a value is before the year 1');
  expect(reason('timestamp(3) without time zone', '10000-01-01 00:00:00')).toBe(
    'a value is after the year 9999',
  );
  expect(reason('integer', 'secret')).toBe('a value is not written as PostgreSQL writes this type');
});

// Seen to fail without the fields being counted: the parser ran beyond the row.
test.each([
  ['a row with too few fields', 'a\n', 'a row has other fields'],
  ['a row with too many fields', 'a\tb\tc\n', 'a row has other fields'],
  ['a last row without its end', 'a\tb', 'its last row has no end'],
  ['an escape that COPY never writes', 'a\\x\tb\n', 'an escape that COPY never writes'],
  ['a backslash at the end of a field', 'a\\\tb\n', 'an escape that COPY never writes'],
  ['bytes that are not UTF-8', '\xff\tb\n', 'it is not UTF-8'],
  ['text behind NULL', '\\Nx\tb\n', 'a row has other fields'],
])('text that COPY never writes is refused: %s', (_, text, problem) => {
  expect(parse(['text', 'text'], text)).toMatch(problem);
});

test('a value that a column cannot hold is found behind another one, and in the last row', () => {
  expect(parse(['date', 'integer'], '2024-01-01\t1\ninfinity\tx\n2024-01-01\t2\n')).toEqual([
    ['c0', 'a value is infinite'],
    ['c1', 'a value is not written as PostgreSQL writes this type'],
  ]);
});

// Seen to fail without the rest of a chunk being kept.
test('rows may be cut anywhere: every size of chunk makes the same copy', async () => {
  const text = Buffer.from('1\tä\\tb\\n\\\\\n\\N\t\\\\N\n-7\t😀\n');
  const source = [...one('integer'), { name: 'd', type: 'text' }];
  for (let piece = 1; piece <= text.length; piece += 1) {
    await expect(makeCopy(directory(), source, [segmentOf(text, 0, piece)])).resolves.toMatchObject({
      columns: [{ kind: 'int32' }, { kind: 'text' }],
    });
  }
});

test('an empty line is a row of one empty text, and nothing is no row', async () => {
  for (const text of ['', '\n', '\n\n\\N\n']) {
    await expect(makeCopy(directory(), one('text'), [segmentOf(Buffer.from(text))])).resolves.toBeDefined();
  }
});

test('a row of 30 MB among short ones is one value', async () => {
  const text = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(30 << 20, 'x'), Buffer.from('\\\\\nb\n')]);
  await expect(makeCopy(directory(), one('text'), [segmentOf(text)])).resolves.toBeDefined();
});
