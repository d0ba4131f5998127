import { expect, test } from '@jest/globals';
import { foldAll, foldAscii, requireDistinct } from '../../../core/query/column-names.ts';

test.each([
  [['a', 'b'], foldAscii, []],
  [['é', 'É'], foldAscii, []],
  [['a', 'b'], foldAll, ['c']],
] as const)('%j are distinct', (names, fold, taken) => {
  requireDistinct(names, fold, taken);
});

test.each([
  [['Date', 'dATE'], foldAscii, [], 'date'],
  [['é', 'É'], foldAll, [], 'é'],
  [['Archive_ID'], foldAll, ['archive_id'], 'archive_id'],
] as const)('%j are not', (names, fold, taken, name) => {
  expect(() => requireDistinct(names, fold, taken)).toThrow(
    expect.objectContaining({
      code: 'CatalogConflict',
      message: `two columns are called "${name}" in lower case`,
    }),
  );
});
