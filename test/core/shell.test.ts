import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shellArgument } from '../../core/shell.ts';

/** The words of a command line as a shell reads them. */
function words(line: string): string[] {
  return execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

test.each([
  'app.event',
  'app."Event"',
  `it's`,
  `"$HOME" \`id\` $(id)`,
  'two words',
  '*',
  '~',
  '',
  '\\',
  'a\nb',
  '-x',
  '#',
])('%j is one word in a shell', (word) => {
  expect(words(`a ${shellArgument(word)} z`)).toEqual(['a', word, 'z']);
});

test('so is any text that PostgreSQL can have in a name', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 20 }), (names) => {
      const texts = names.map((name) => name.replaceAll('\0', ''));
      expect(words(texts.map(shellArgument).join(' '))).toEqual(texts);
    }),
    { numRuns: 30 },
  );
});
