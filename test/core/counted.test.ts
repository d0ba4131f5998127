import { expect, test } from '@jest/globals';
import { counted } from '../../core/counted.ts';

// Seen to fail with "s" behind every noun, as messages had it.
test('one thing is in the singular, and everything else in the plural', () => {
  expect([0, 1, 2, 1n].map((count) => counted(count, 'row'))).toEqual(['0 rows', '1 row', '2 rows', '1 row']);
  expect(counted(1_000, 'row', (count) => count.toLocaleString('en'))).toBe('1,000 rows');
});
