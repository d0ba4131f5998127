import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { truncate, truncateLines } from '../../core/limits.ts';

test('what does not fit is left out, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.nat(400), (items, bytes) => {
      const fit = truncate(items, bytes);
      const size = (some: readonly string[]): number =>
        some.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)) + 1, 0);
      expect(items.slice(0, fit.length)).toEqual(fit);
      expect(size(fit)).toBeLessThanOrEqual(bytes);
      if (fit.length < items.length) expect(size(items.slice(0, fit.length + 1))).toBeGreaterThan(bytes);
    }),
  );
});

test('lines say how many more there are', () => {
  expect(truncateLines(['one', 'two', 'three'], 100)).toEqual(['one', 'two', 'three']);
  expect(truncateLines(['one', 'two', 'three'], 12)).toEqual(['one', 'two', 'and 1 more']);
  expect(truncateLines(['one'], 0)).toEqual(['and 1 more']);
  expect(truncateLines([], 0)).toEqual([]);
});
