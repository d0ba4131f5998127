import { expect, test } from '@jest/globals';
import { bareTable, namesOthers, type ColumnFacts } from '../../../core/restore/bare-table.ts';
import { splitStructure } from '../../../core/restore/statements.ts';

const column = (name: string, type: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  type,
  collation: null,
  compression: '',
  not_null: false,
  generated: '',
  identity: '',
  ...more,
});

const COLUMNS = [
  column('id', 'bigint', { identity: 'a', not_null: true }),
  column('a, (b', 'numeric(5,2)', { not_null: true }),
  column('t', 'text', { collation: 'pg_catalog."C"', compression: 'l' }),
  column('slug', 'text', { generated: 's', not_null: true }),
  column('len', 'integer', { generated: 's' }),
  column('ts', 'timestamp with time zone', { not_null: true }),
];
const CREATE = `CREATE UNLOGGED TABLE "s (,".t (
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s.q START WITH 1) NOT NULL,
  "a, (b" numeric(5,2) DEFAULT round((1), 2) NOT NULL,
  t text COMPRESSION lz4 COLLATE pg_catalog."C" DEFAULT ', DEFAULT ) it''s \\ NOT NULL',
  slug text GENERATED ALWAYS AS (app.slugify(t)) STORED NOT NULL,
  len integer GENERATED ALWAYS AS (length(t)) STORED,
  ts timestamp with time zone NOT NULL,
  CONSTRAINT "c (" CHECK ((app.is_good(t, 'x,y'))),
  CONSTRAINT n NOT NULL slug,
  CONSTRAINT m NOT NULL "a, (b"
)
USING heap
WITH (fillfactor='90')`;

// Seen to fail without: the parting of the CREATE TABLE statement at all (there was none).
test('what may call a function of the application is taken out of CREATE TABLE, and nothing else', () => {
  expect(bareTable(CREATE, COLUMNS)).toEqual({
    create: `CREATE UNLOGGED TABLE "s (,".t (
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME s.q START WITH 1) NOT NULL,
  "a, (b" numeric(5,2) NOT NULL,
  t text COMPRESSION lz4 COLLATE pg_catalog."C",
  len integer GENERATED ALWAYS AS (length(t)) STORED,
  ts timestamp with time zone NOT NULL,
  CONSTRAINT m NOT NULL "a, (b"
)
USING heap
WITH (fillfactor='90')`,
    left: new Set(['slug']),
    after: [
      'ALTER TABLE ONLY "s (,".t ADD COLUMN slug text GENERATED ALWAYS AS (app.slugify(t)) STORED NOT NULL',
      'ALTER TABLE ONLY "s (,".t ALTER COLUMN "a, (b" SET DEFAULT round((1), 2)',
      `ALTER TABLE ONLY "s (,".t ALTER COLUMN t SET DEFAULT ', DEFAULT ) it''s \\ NOT NULL'`,
      `ALTER TABLE ONLY "s (,".t ADD CONSTRAINT "c (" CHECK ((app.is_good(t, 'x,y')))`,
      'ALTER TABLE ONLY "s (,".t ADD CONSTRAINT n NOT NULL slug',
    ],
  });
});

// Seen to fail without asText in bareTable().
test('a column as text gets its type, and then its default, after the rows', () => {
  const columns = [
    column('st', 's.status', { not_null: true }),
    column('T', 'text', { collation: 's."C"' }),
    column('twice', 'text', { generated: 's' }),
  ];
  const create = `CREATE TABLE s.t (
  st s.status DEFAULT 'new'::s.status NOT NULL,
  "T" text COLLATE s."C",
  twice text GENERATED ALWAYS AS ((st)::text) STORED
)`;
  expect(bareTable(create, columns, ['st', 'T'])).toEqual({
    create: 'CREATE TABLE s.t (\n  st text NOT NULL,\n  "T" text\n)',
    left: new Set(['st', 'T', 'twice']),
    after: [
      `ALTER TABLE ONLY s.t ALTER COLUMN st TYPE s.status USING st::s.status, ALTER COLUMN st SET DEFAULT 'new'::s.status`,
      'ALTER TABLE ONLY s.t ALTER COLUMN "T" TYPE text COLLATE s."C" USING "T"::text',
      'ALTER TABLE ONLY s.t ADD COLUMN twice text GENERATED ALWAYS AS ((st)::text) STORED',
    ],
  });
});

test('what is said of a column that is added later is said later', () => {
  const storage = ['len', 'slug'].map(
    (name) => `ALTER TABLE ONLY "s (,".t ALTER COLUMN ${name} SET STORAGE MAIN`,
  );
  const { beforeData, afterData } = splitStructure([CREATE, ...storage], COLUMNS);
  expect(beforeData.slice(1)).toEqual([storage[0]]);
  expect(afterData.at(-1)).toBe(storage[1]);
});

test.each([
  ['', 'has no end'],
  ['CREATE TABLE s.t (\n  id bigint', 'has no end'],
  [`CREATE TABLE s.t (\n  id bigint DEFAULT 'x)`, 'has no end'],
  ['CREATE VIEW s.t (\n  id bigint\n)', 'cannot be read'],
  ['CREATE TABLE s.t (\n  id integer\n)', 'column id is not that of the list'],
  ['CREATE TABLE s.t (\n  ib bigint\n)', 'column ib is not that of the list'],
])('a statement that is none of ours is refused: %j', (statement, message) => {
  expect(() => bareTable(statement, [column('id', 'bigint')])).toThrow(
    expect.objectContaining({ code: 'ManifestInvalid', message: expect.stringContaining(message) }),
  );
});

test.each([
  ['lower(t)', false],
  [`(t || 'a.b'::text)`, false],
  ['(price * 1.5)', false],
  ["to_tsvector('english'::regconfig, t)", false],
  ["to_tsvector('public.mine'::regconfig, t)", true],
  ['app.f(t)', true],
  ['"App"."F"(t)', true],
  ['(a OPERATOR(public.+) b)', true],
  ['(a OPERATOR(pg_catalog.+) b)', false],
  ['(t)::public.citext', true],
])('an expression that names something outside pg_catalog: %s', (expression, expected) => {
  expect(namesOthers(expression)).toBe(expected);
});
