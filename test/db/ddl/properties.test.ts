/**
 * The DDL archive on random tables and random names. PostgreSQL's own regression suite would be the better set of
 * tables, but Debian's packages do not bring its SQL.
 */
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyText } from '../../support/any-text.ts';
import { quote } from '../../support/archives.ts';
import { useDatabase } from '../../support/database.ts';
import { serverMajor } from '../../support/stack.ts';
import { createRoles, roundTrip, type TableName } from './support.ts';

const database = useDatabase({ template: 'archiver' });

beforeAll(async () => {
  const { sql } = database();
  await createRoles(sql);
  await sql.unsafe(`grant usage, create on schema public to public;
    create type public.mood as enum ('a', 'b'); create domain public.positive as int check (value > 0);
    create type public.pair as (x int, y text); create table public.target (id int primary key);
    create function public.f() returns trigger language plpgsql as 'begin return new; end'`);
  if (serverMajor() >= 18) {
    await sql.unsafe(`create extension btree_gist schema public;
      create table public.spans (id int, during int4range, primary key (id, during without overlaps))`);
  }
});

/** Makes a table, takes it through a round trip, and removes its schema. */
async function expectSame(table: TableName, create: string): Promise<void> {
  const { sql } = database();
  await sql.unsafe(`create schema ${quote(table.schema)} authorization ddl_owner`);
  try {
    await sql.unsafe(create);
    const result = await roundTrip(database(), table);
    expect(result.ddl.refused).toEqual([]);
    expect(result.after).toBe(result.before);
  } finally {
    await sql.unsafe(`drop schema ${quote(table.schema)} cascade`);
  }
}

/** Cut to the 63 bytes that a name has, between characters. */
function clip(name: string): string {
  let clipped = Array.from(name);
  while (Buffer.byteLength(clipped.join('')) > 63) {
    clipped = clipped.slice(0, -1);
  }
  return clipped.join('');
}

/** What hurts in a name. */
const awkward = [
  '"',
  "'",
  '\\',
  '%',
  '%s',
  '%I',
  '$',
  '$$',
  '{',
  '}',
  ':',
  ' ',
  '.',
  ';',
  '--',
  '*',
  '?',
  'ü',
  '日',
  '😀',
  'A',
  'select',
  '\t',
  '\n',
];
const identifier = fc
  .array(fc.oneof(fc.constantFrom(...awkward), fc.constantFrom(...Array.from('abcxyz019_'))), {
    minLength: 1,
    maxLength: 70,
  })
  .map((parts) => clip(parts.join('')))
  .filter((name) => !name.startsWith('pg_'));

test('names of every kind survive', async () => {
  const text = anyText({ maxLength: 30 }).map((value) => value.replaceAll('\0', ''));
  const property = fc.asyncProperty(
    fc.uniqueArray(identifier, { minLength: 8, maxLength: 8 }),
    text,
    async (names, value) => {
      const [schema = '', name = '', ...others] = names;
      const table = { schema: clip(`s${schema}`), name };
      const q = others.map(quote);
      const t = `${quote(table.schema)}.${quote(table.name)}`;
      const literal = `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
      await expectSame(
        table,
        `create table ${t} (${q[0]} int generated always as identity, ${q[1]} text default ${literal},
           constraint ${q[2]} check (${q[1]} <> ${literal}), constraint "fk self" foreign key (${q[0]}) references ${t} (${q[0]}))`.replace(
          'generated always as identity,',
          'generated always as identity primary key,',
        ) +
          `; create index ${q[3]} on ${t} (lower(${q[1]})) where ${q[1]} <> ${literal};
           create trigger ${q[4]} before insert on ${t} for each row when (new.${q[1]} <> ${literal}) execute function public.f(${literal});
           create policy ${q[5]} on ${t} using (${q[0]} in (select ${q[0]} from ${t}));
           create rule ${q[5]} as on update to ${t} do also insert into public.target select "an alias".${q[0]} from ${t} "an alias", ${t};
           comment on column ${t}.${q[0]} is ${literal}; comment on table ${t} is ${literal};
           alter table ${t} owner to ddl_owner`,
      );
    },
  );
  await fc.assert(property, { numRuns: 15, endOnFailure: true });
});

test('a name of 63 bytes, one of two lines, and look-alikes of tokens survive', async () => {
  for (const name of [
    'x'.repeat(63),
    'é'.repeat(31),
    '{0123456789abcdef0123456789abcdef:table}',
    'pa_0123456789abcdef',
    'partition_archiver_trial',
    'two\nlines',
  ]) {
    const table = { schema: 'plain', name };
    const t = `plain.${quote(name)}`;
    await expectSame(
      table,
      `create table ${t} (id serial, a text default '${name}', check (a <> 'plain.${name}'));
       alter table ${t} owner to ddl_owner;
       create rule r as on update to ${t} do also insert into public.target select one.id from ${t} one, ${t};
       create policy p on ${t} using (id in (select ${quote(name)}.id from ${t}))`,
    );
  }
});

const type = fc.constantFrom(
  'int',
  'bigint',
  'smallint',
  'numeric(12, 3)',
  'numeric',
  'real',
  'double precision',
  'text',
  'varchar(20)',
  'char(3)',
  'bytea',
  'boolean',
  'date',
  'time(3)',
  'timetz',
  'timestamp(0)',
  'timestamptz',
  'interval year to month',
  'interval(2)',
  'uuid',
  'json',
  'jsonb',
  'xml',
  'inet',
  'cidr',
  'macaddr',
  'bit(4)',
  'bit varying(9)',
  'int[]',
  'text[][]',
  'numeric(5, 1)[]',
  'int4range',
  'tstzmultirange',
  'point',
  'box',
  'tsvector',
  'money',
  'oid',
  'name',
  '"char"',
  'public.mood',
  'public.mood[]',
  'public.positive',
  'public.pair',
  'regclass',
  'pg_lsn',
);
const textual = new Set(['text', 'varchar(20)', 'char(3)']);
const toasted = new Set(['text', 'varchar(20)', 'bytea', 'jsonb', 'json', 'xml', 'int[]', 'text[][]']);
const column = fc.record({
  type,
  notNull: fc.boolean(),
  collate: fc.boolean(),
  compression: fc.option(fc.constant('pglz')),
  storage: fc.option(fc.constantFrom('plain', 'external', 'main', 'extended')),
  statistics: fc.option(fc.integer({ min: 0, max: 10_000 })),
  distinct: fc.option(fc.constantFrom('-1', '-0.25', '17')),
  dropped: fc.boolean(),
  comment: fc.option(fc.string({ maxLength: 10 })),
});
/** What PostgreSQL 18 has besides. */
const SINCE_18 = [
  'alter table T add constraint "n there" not null n',
  'alter table T add column nv text; alter table T add constraint nv_there not null nv not valid',
  'alter table T add column ni text; alter table T add constraint ni_there not null ni no inherit',
  'alter table T add column virt int generated always as (k + n) virtual; alter table T add constraint vc check (virt > 0)',
  'alter table T add constraint ne check (k < 9) not enforced',
  'alter table T add constraint fk3 foreign key (n) references public.target not enforced',
  'alter table T add column r int4range; alter table T add constraint wo unique (k, r without overlaps)',
  'alter table T add column pr int4range; alter table T add constraint fk4 foreign key (k, period pr) references public.spans (id, period during)',
];
const shape = fc.record({
  columns: fc.array(column, { minLength: 1, maxLength: 8 }),
  key: fc.constantFrom(
    '',
    'primary key (k)',
    'unique (k) deferrable',
    'primary key (k) include (n) deferrable initially deferred',
    'unique (n, k) with (fillfactor = 55)',
  ),
  extras: fc.subarray([
    'alter table T add column g int generated always as (k * 2) stored',
    'alter table T add column i bigint generated by default as identity (increment -3 cache 5 cycle)',
    'create sequence S.own as int owned by T.k',
    `alter table T add constraint "NV" check (k in (1, 2, 3)) not valid`,
    'alter table T add constraint c2 check (k > 0 and n is not null) no inherit',
    'alter table T add constraint fk foreign key (k) references public.target on update cascade on delete set default deferrable',
    'alter table T add constraint fk2 foreign key (n) references public.target match full not valid',
    'create unique index on T (k desc nulls last, (n + 1)) include (n) where k > 3',
    'create index h on T using hash (k)',
    'create index b on T using brin (k, n) with (pages_per_range = 7, autosummarize = on)',
    'create index e on T ((k + n)); alter index S.e alter column 1 set statistics 44',
    'create statistics S.st (mcv) on k, n from T; alter statistics S.st owner to ddl_owner',
    'create trigger "T 1" after insert or delete on T for each statement execute function public.f(); alter table T disable trigger "T 1"',
    'create constraint trigger c1 after update of k on T deferrable for each row when (old.k <> new.k) execute function public.f()',
    'create rule r as on insert to T where new.k = 7 do instead nothing',
    'alter table T enable row level security; create policy p on T as restrictive for delete to ddl_grantee using (k = 1)',
    'alter table T force row level security; create policy q on T for insert with check (k > n)',
    // Where nothing is left that could be TOASTed, options of the TOAST table have no place to be restored to.
    'alter table T add column wide text; alter table T set (fillfactor = 33, toast.autovacuum_enabled = off)',
    'alter table T replica identity full',
    'grant select (k), update on T to ddl_grantee with grant option',
    'revoke insert on T from ddl_owner',
    'alter table T set unlogged',
    ...(serverMajor() >= 18 ? SINCE_18 : []),
  ]),
});

test('random tables are made again exactly', async () => {
  const property = fc.asyncProperty(shape, async ({ columns, key, extras }) => {
    const t = 'random."T b"';
    const lines = columns.map((each, n) =>
      [
        `c${String(n)} ${each.type}`,
        each.compression !== null && toasted.has(each.type) ? 'compression pglz' : '',
        each.collate && textual.has(each.type) ? 'collate "POSIX"' : '',
        each.notNull ? 'not null' : '',
      ].join(' '),
    );
    const later = columns.flatMap((each, n) => {
      const alter = `alter table ${t} alter column c${String(n)} set`;
      return each.dropped
        ? [`alter table ${t} drop column c${String(n)}`]
        : [
            each.storage !== null && toasted.has(each.type) ? `${alter} storage ${each.storage}` : '',
            each.statistics !== null ? `${alter} statistics ${String(each.statistics)}` : '',
            each.distinct !== null ? `${alter} (n_distinct = ${each.distinct})` : '',
            each.comment !== null
              ? `comment on column ${t}.c${String(n)} is ${quoteLiteral(each.comment)}`
              : '',
          ];
    });
    // An unlogged table takes no foreign key to a logged one, and none of its sequences follows in every version.
    const unlogged = extras.some((extra) => extra.endsWith('unlogged'));
    const kept = extras.filter((extra) => !unlogged || !/references|identity|owned by/.test(extra));
    await expectSame(
      { schema: 'random', name: 'T b' },
      [
        `create table ${t} (k int, n int ${lines.map((line) => `, ${line}`).join('')} ${key === '' ? '' : `, ${key}`})`,
        ...later.filter((statement) => statement !== ''),
        `alter table ${t} owner to ddl_owner`,
        ...kept.map((extra) =>
          extra.startsWith('create sequence')
            ? `create sequence random.own as int; alter sequence random.own owner to ddl_owner; alter sequence random.own owned by ${t}.k`
            : extra.replaceAll(/\bT\b(?! 1)/g, t).replaceAll(/\bS\./g, 'random.'),
        ),
      ].join(';\n'),
    );
  });
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
});

function quoteLiteral(value: string): string {
  return `E'${value.replaceAll('\0', '').replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
