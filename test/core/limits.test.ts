import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { beginning, bytesOf, truncate, truncateLines, truncateWithin } from '../../core/limits.ts';
import { anyText } from '../support/any-text.ts';

test('what does not fit is left out, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(anyText()), fc.nat(400), (items, bytes) => {
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

test('the beginning of a text ends with a whole character', () => {
  expect(beginning('löwe', 10)).toBe('löwe');
  expect(beginning('löwe', 2)).toBe('l');
  expect(beginning('löwe', 3)).toBe('lö');
  expect(beginning('löwe', 0)).toBe('');
});

test('lists that share their room have no more of it together', () => {
  const items = ['one', 'two', 'three'];
  const fit = truncateWithin(bytesOf(['one', 'two', 'one', 'two']) + 3);
  expect(fit(items, 13)).toEqual(['one', 'two']);
  expect(fit(items, 100)).toEqual(['one', 'two']);
  expect(fit(items, 100)).toEqual([]);
  expect(fit([], 100)).toEqual([]);
});
