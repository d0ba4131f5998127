import { expect, test } from '@jest/globals';
import { columnsAsText } from '../../../core/restore/as-text.ts';
import type { MissingDependency } from '../../../core/restore/database.ts';
import { renamed } from '../../../core/restore/moved.ts';

const MOVED = [
  { from: 'public.hstore', to: 'extensions.hstore' },
  { from: 'public."We.ird"', to: 'extensions."We.ird"' },
  { from: 'public.->', to: 'extensions.->' },
];

test.each([
  ['a public.hstore,', 'a extensions.hstore,'],
  ['a public.hstore[] b public."We.ird"', 'a extensions.hstore[] b extensions."We.ird"'],
  ['(a OPERATOR(public.->) b)', '(a OPERATOR(extensions.->) b)'],
  // Another object, whose name only begins or ends like that.
  [
    'public.hstore2 mypublic.hstore x.public.hstore public.hstore_ops',
    'public.hstore2 mypublic.hstore x.public.hstore public.hstore_ops',
  ],
  ['OPERATOR(public.->>)', 'OPERATOR(public.->>)'],
  // Texts.
  [`'it''s public.hstore'`, `'it''s public.hstore'`],
  [`'public.hstore'::regtype`, `'extensions.hstore'::regtype`],
  [`'public.other'::regclass`, `'public.other'::regclass`],
])('names of what was moved: %s', (before, after) => {
  expect(renamed(before, MOVED)).toBe(after);
  expect(renamed(before, [])).toBe(before);
});

const gone = (identity: string, more: Partial<MissingDependency> = {}): MissingDependency => ({
  kind: 'type',
  identity,
  problem: 'is missing',
  statement: null,
  prevents: true,
  name: null,
  movedTo: null,
  ...more,
});
const column = (name: string, type: string, more = {}): object => ({
  name,
  type,
  collation: null,
  compression: '',
  not_null: false,
  generated: '',
  identity: '',
  ...more,
});
const TEMPLATE = {
  columns: [
    column('plain', 'text'),
    column('st', 's.status[]'),
    column('other', 's.status2'),
    column('line', 's.line'),
    column('sorted', 'text', { collation: 's.mine' }),
    column('made', 's.status', { generated: 's' }),
    column('checked', 's.checked'),
    column('built_in', 's.built_in'),
  ],
  dependencies: [
    { kind: 'type', identity: 's.status', definition: `CREATE TYPE s.status AS ENUM ('x')` },
    { kind: 'type', identity: 's.over_it', definition: 'CREATE DOMAIN s.over_it AS s.status' },
    { kind: 'type', identity: 's.line', definition: 'CREATE TYPE s.line AS (a s.over_it)' },
    {
      kind: 'type',
      identity: 's.checked',
      definition: 'CREATE DOMAIN s.checked AS text CONSTRAINT c CHECK (s.f(VALUE))',
    },
    {
      kind: 'type',
      identity: 's.built_in',
      definition: 'CREATE DOMAIN s.built_in AS text CONSTRAINT c CHECK ((VALUE > 0))',
    },
  ],
};

test('columns whose type is gone, at any depth, and those of domains that call functions are loaded as text', () => {
  expect(columnsAsText(TEMPLATE, [])).toEqual(['checked']);
  expect(columnsAsText(TEMPLATE, [gone('s.status', { prevents: false })])).toEqual(['checked']);
  expect(columnsAsText(TEMPLATE, [gone('s.status')])).toEqual(['st', 'line', 'checked']);
  expect(columnsAsText(TEMPLATE, [gone('s.mine', { kind: 'collation' })])).toEqual(['sorted', 'checked']);
  expect(columnsAsText({}, [gone('s.mine', { kind: 'function' })])).toEqual([]);
});
