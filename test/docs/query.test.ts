import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CATALOGUE } from '../../core/errors.ts';
import { kindOf, mapColumns, parquetElements } from '../../core/query/parquet-map.ts';
import { duckDbType } from '../../core/query/views.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'query.md'), 'utf8');

/** The cells of the table of types, by the first of its columns. */
const ROWS = new Map(
  [...page.matchAll(/^\| (`[a-z"][^|]*) \| ([A-Z][^|]*|–) \| ([A-Z][^|]*|–) \|/gm)].map(
    ([, type = '', ...cells]) => [type, cells],
  ),
);

test.each([
  ['`boolean`', ['boolean']],
  ['`smallint`', ['smallint']],
  ['`integer`', ['integer']],
  ['`bigint`, `oid`', ['bigint', 'oid']],
  ['`date`', ['date']],
  ['`timestamp(p)`', ['timestamp without time zone', 'timestamp(3) without time zone']],
  ['`timestamptz(p)`', ['timestamp with time zone', 'timestamp(0) with time zone']],
  ['`bytea`', ['bytea']],
  ['`uuid`', ['uuid']],
  ['`jsonb`', ['jsonb']],
  ['`json`', ['json']],
  ['`char(n)`', ['character(10)']],
  [
    '`time`, `timetz`, `interval`',
    ['time without time zone', 'time with time zone', 'interval', 'interval year to month'],
  ],
  ['`money`', ['money']],
  ['`inet`, `cidr`, `macaddr`, `macaddr8`', ['inet', 'cidr']],
])('the page says how %s is held', (row, types) => {
  const [parquet = '', shown = ''] = ROWS.get(row) ?? [];
  for (const type of types) {
    const [column] = mapColumns([{ name: 'c', type }]);
    const [element] = parquetElements([column!]);
    expect(parquet).toMatch(
      element?.logical_type?.type === 'STRING' ? /^STRING/ : new RegExp(`^${element?.type ?? ''}`),
    );
    expect(shown.trim()).toBe(duckDbType({ ...column! }));
  }
});

test('numerics are decimals as far as the page says', () => {
  expect(page).toContain('`numeric(p,s)`, p ≤ 38, 0 ≤ s ≤ p');
  const kinds = [
    'numeric(9,9)',
    'numeric(18,0)',
    'numeric(38,38)',
    'numeric(39,0)',
    'numeric(4,-2)',
    'numeric(2,3)',
    'numeric',
  ];
  expect(kinds.map((type) => kindOf(type).kind)).toEqual([
    'decimal32',
    'decimal64',
    'decimal128',
    'text',
    'text',
    'text',
    'text',
  ]);
});

test('the page names every error of copies and queries', () => {
  const codes = Object.keys(CATALOGUE).filter((code) =>
    /^(Copy|Query|Archive(Cold|sOverlap)|LocalDisk)/.test(code),
  );
  for (const code of codes) expect(page).toContain(`\`${code}\``);
});
