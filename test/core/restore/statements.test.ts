import { expect, test } from '@jest/globals';
import { parseRestoreRequest } from '../../../core/restore/request.ts';
import { parseNames, splitStructure } from '../../../core/restore/statements.ts';

const PLAIN = { collation: null, compression: '', not_null: false, generated: '', identity: '' };

test('only what makes the bare table comes before the data', () => {
  const before = [
    'CREATE SEQUENCE s.q AS integer',
    'CREATE TABLE s.t (\n  a integer\n)',
    'ALTER SEQUENCE s.q OWNED BY s.t.a',
    'ALTER TABLE ONLY s."t ALTER COLUMN x" ALTER COLUMN a SET STORAGE MAIN',
  ];
  const after = [
    'ALTER TABLE ONLY s."t ALTER COLUMN x" ADD CONSTRAINT k PRIMARY KEY (a)',
    'CREATE INDEX i ON s.t (a)',
    // A trigger would change what is loaded.
    'CREATE TRIGGER g BEFORE INSERT ON s.t EXECUTE FUNCTION f()',
    "COMMENT ON TABLE s.t IS ' ALTER COLUMN '",
    "SELECT pg_catalog.setval('s.q', 7, 't')",
  ];
  const mixed = [after[0]!, ...before, ...after.slice(1)];
  const columns = [{ ...PLAIN, name: 'a', type: 'integer' }];
  expect(splitStructure(mixed, columns)).toEqual({ beforeData: before, afterData: after });
});

test.each([
  ['a', ['a']],
  ['a, "B c", "q""x", "d, e"', ['a', 'B c', 'q"x', 'd, e']],
  ['änderung, _x$1', ['änderung', '_x$1']],
  ['a, ', null],
  ['a,b', null],
  ['a b', null],
  ['(select 1)', null],
  ['a, "unended', null],
  ["a) to program 'x' --", null],
])('names of %j', (list, names) => {
  expect(parseNames(list)).toEqual(names);
});

test('every mistake of a request at once', () => {
  expect(() =>
    parseRestoreRequest({ schema: '', table: 7, grants: 'yes', attach: 'there', more: 1 }),
  ).toThrow(
    expect.objectContaining({
      code: 'InvalidInput',
      message: expect.stringMatching(
        /schema: "".*table: 7.*grants: "yes".*attach: "there".*more: 1.*manifestKey: is missing/s,
      ),
    }),
  );
  expect(parseRestoreRequest({ manifestKey: 'k' })).toEqual({
    archives: { manifestKey: 'k', manifestVersionId: null },
    options: {
      schema: null,
      table: null,
      owner: null,
      foreignKeys: true,
      grants: true,
      attach: null,
      acceptIncomplete: false,
      acceptedPublications: [],
      retrieval: { tier: 'Standard', days: 7 },
    },
  });
});
