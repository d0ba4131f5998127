import { expect, test } from '@jest/globals';
import { formatError } from '../../core/errors.ts';
import { asSentence, inOneLine } from '../../core/in-one-line.ts';

test('a full stop or the semicolon of a statement is not followed by another mark', () => {
  expect(inOneLine(['it is unlogged', 'drop view v;', 'Correct it.', 'it has no column'])).toBe(
    'it is unlogged; drop view v; Correct it. it has no column',
  );
  expect(inOneLine(['alone'])).toBe('alone');
  expect(inOneLine([])).toBe('');
  expect(['it is unlogged', 'drop view v;', 'Correct it.'].map(asSentence)).toEqual([
    'it is unlogged.',
    'drop view v;',
    'Correct it.',
  ]);
});

// Seen to fail before: "owned by none;. Make".
test('the hint of an error follows a message that ends with a statement', () => {
  const error = {
    code: 'DetachRefused',
    message: 'app.event_p1 stays attached: drop view v;',
    hint: 'Do it.',
  };
  expect(formatError(error)).toBe('DetachRefused, app.event_p1 stays attached: drop view v; Do it.');
  expect(formatError({ code: 'Odd', message: 'nothing is known' })).toBe('Odd, nothing is known.');
});
