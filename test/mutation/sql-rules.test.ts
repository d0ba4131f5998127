import { expect, test } from '@jest/globals';
import { conditions, statements, type Change } from './sql-rules.ts';

const changed = (text: string, changes: readonly Change[]): string[] =>
  changes.map(({ start, end, replacement }) => `${text.slice(start, end)} -> ${replacement}`);

// Seen to fail with comments alone left out: a mutant that no server takes, from the message to the next THEN, in the place of
// those of the condition between them.
test('what is in messages and comments is no condition', () => {
  const text = `
  if a is null then
    raise exception 'it had none when it was made: its owner''s table' using errcode = 'PA007'; -- when then
  end if;
  if b = 'x when y then z' then
    raise exception 'no';
  end if;`;
  expect(changed(text, conditions(text))).toEqual(['a is null -> false', "b = 'x when y then z' -> false"]);
});

test('a value of CASE is left as it stands', () => {
  const text = `select case kind when 'time' then 1 when 'id' then 2 end`;
  expect(changed(text, conditions(text))).toEqual(["'time' -> null", "'time' -> kind", "'id' -> null"]);
});

// Seen to fail with strings in the text that is looked through.
test('a statement that is given as text is left out with all its semicolons', () => {
  const text = `
  execute format('insert into %s select 1; select 2', name);
  execute 'select 1' into found;`;
  expect(changed(text, statements(text))).toEqual([
    `execute format('insert into %s select 1; select 2', name); -> null;`,
  ]);
});
