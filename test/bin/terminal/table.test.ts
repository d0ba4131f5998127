import { expect, test } from '@jest/globals';
import { shorten, tableLines, wrap } from '../../../bin/archive/terminal/table.ts';

const LONG = 'public."Umsätze je Filiale, Kasse und Tag seit 2019"_p2026_07_01';
const ROWS = [
  ['id', 'partition', 'state', 'period', 'rows'],
  ['17', LONG, 'verified', '202607', '12000000'],
  ['9', 'public.orders_p2026_07', 'quarantined', '202607', ''],
];

// Seen to fail with the fixed widths of before: a name of 63 characters moved the columns after it.
test.each([60, 80, 100, 200])(
  'a table fits a terminal of %d columns, and its columns are aligned',
  (width) => {
    const lines = tableLines(ROWS, width);
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    const [head = ''] = lines;
    const state = head.indexOf('state');
    expect(lines.map((line) => line.slice(state).split(' ')[0])).toEqual([
      'state',
      'verified',
      'quarantined',
    ]);
    expect(lines[1]).toContain('_p2026_07_01'.slice(-5));
  },
);

test('a pipe gets every name whole', () => {
  expect(tableLines(ROWS, undefined)[1]).toContain(` ${LONG} `);
});

test('a terminal that is too narrow for any table gets short names, and no endless loop', () => {
  expect(tableLines(ROWS, 10)).toHaveLength(3);
});

test('a name is shortened in the middle, since partitions differ at their ends', () => {
  expect(shorten('orders_p2026_07', 9)).toBe('orde…6_07');
  expect(shorten('orders', 9)).toBe('orders');
});

test('remarks are broken at spaces, and a word that is too long stays whole', () => {
  expect(wrap('PartitionRefused: it is unlogged', '  ', 20)).toEqual([
    '  PartitionRefused:',
    '  it is unlogged',
  ]);
  expect(wrap('a/very/long/key/that/is/one/word b', '', 8)).toEqual([
    'a/very/long/key/that/is/one/word',
    'b',
  ]);
  expect(wrap('as it is', '  ', undefined)).toEqual(['  as it is']);
});
