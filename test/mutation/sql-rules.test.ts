import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { conditions, handlers, statements, type Change } from './sql-rules.ts';

const DB = join(import.meta.dirname, '../../db');

const changed = (text: string, changes: readonly Change[]): string[] =>
  changes.map(({ start, end, replacement }) => `${text.slice(start, end)} -> ${replacement}`);

const originals = (text: string, changes: readonly Change[]): string[] =>
  changes.map(({ start, end }) => text.slice(start, end));

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

// Seen to fail without a rule of its own: its condition went to the THEN of the next IF, and the mutants did not install.
test('what skips a turn of a loop is a condition, and ends with its statement', () => {
  const text = `
    continue when a = b;
    if c then
      d := e;
    end if;`;
  expect(changed(text, conditions(text))).toEqual([
    'a = b -> false',
    'a = b -> true',
    'c -> false',
    'c -> true',
  ]);
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

// Seen to fail with a list of the names that a handler may have: `data_exception` was not in it, and its mutants did not install.
test('what a handler catches is no condition', () => {
  const text = `
begin
  return case when found then 1 end;
exception
  when lock_not_available or sqlstate 'PA000' then
    return null; -- for now
  when others then
    return 0;
end`;
  expect(changed(text, conditions(text))).toEqual(['found -> false', 'found -> true']);
  expect(changed(text, handlers(text))).toEqual([
    'lock_not_available -> division_by_zero',
    "sqlstate 'PA000' -> division_by_zero",
    'others -> division_by_zero',
  ]);
});

test('each handler in db/ is known as one', () => {
  const texts = globSync('**/*.sql', { cwd: DB }).map((file) => readFileSync(join(DB, file), 'utf8'));
  const caught = texts.map((text) => handlers(text));
  const firsts = texts.map((text) => text.match(/\bexception\s+when\b/g)?.length ?? 0);
  expect(firsts.filter((count, index) => count > (caught[index]?.length ?? 0))).toEqual([]);
  const names = new Set(texts.flatMap((text, index) => originals(text, caught[index] ?? [])));
  expect(names.size).toBeGreaterThan(20);
  const tested = texts.flatMap((text) => originals(text, conditions(text)));
  expect(tested.filter((condition) => condition.split(/\s+or\s+/).some((part) => names.has(part)))).toEqual(
    [],
  );
});
