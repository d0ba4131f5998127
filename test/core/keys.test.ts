import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ddlKey,
  keyPart,
  manifestKey,
  segmentAttemptKey,
  segmentFileKeys,
  segmentKey,
} from '../../core/keys.ts';
import { anyText } from '../support/any-text.ts';

/** Names as PostgreSQL takes them: at most 63 bytes, never empty, no zero byte. */
const name = fc
  .oneof(
    fc.string({ unit: fc.constantFrom('.', '/', '!', '2', 'E', 'a', ' ', 'ü', '\n', '%', '\\') }),
    anyText(),
  )
  .filter((text) => text !== '' && !text.includes('\0') && Buffer.byteLength(text) <= 63)
  // A name out of the database is well-formed: half a pair of surrogates cannot be stored.
  .filter((text) => text.isWellFormed());

const location = {
  database: 'shop',
  parentSchema: 'public',
  parentName: 'orders',
  period: '202101',
  archiveId: '01234567-89ab-4def-8123-456789abcdef',
};

describe('a name as one part of a key', () => {
  test('is plain where it can be', () => {
    expect(keyPart('orders_p2021-01.v2')).toBe('orders_p2021-01.v2');
    expect(keyPart('Größe/m²')).toBe('Gr!C3!B6!C3!9Fe!2Fm!C2!B2');
    expect(keyPart('a!b')).toBe('a!21b');
  });

  test('makes no level of its own, and no step in a path', () => {
    fc.assert(
      fc.property(name, (text) => {
        expect(keyPart(text)).toMatch(/^[\w.!-]+$/);
        expect(['.', '..']).not.toContain(keyPart(text));
      }),
    );
    expect(keyPart('.')).toBe('!2E');
    expect(keyPart('..')).toBe('!2E!2E');
    expect(keyPart('...')).toBe('...');
    expect(keyPart('../../other')).toBe('..!2F..!2Fother');
  });

  // Seen to fail without: the escape of `!` itself.
  test('is that of no other name: two tables never share a key', () => {
    const decode = (part: string): string =>
      Buffer.from(
        part.replace(/!(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString('utf8');
    fc.assert(fc.property(name, (text) => expect(decode(keyPart(text))).toBe(text)));
    const names = ['.', '!2E', '..', '!2E!2E', '!2E.', '!', '!!', '!21', 'a/b', 'a!2Fb', 'A', 'a'];
    expect(new Set(names.map(keyPart)).size).toBe(names.length);
  });
});

test('the keys of an archive are those of the documented layout', () => {
  const id = location.archiveId;
  expect(segmentKey(location, 12)).toBe(`shop/public/orders/202101/data/${id}-12.tsv`);
  const attempts = ([null, 'gzip', 'zstd'] as const).map((each) =>
    segmentAttemptKey(location, 12, 'a', each),
  );
  const attempt = `shop/public/orders/202101/data/${id}-12.a.tsv`;
  expect(attempts).toEqual([attempt, `${attempt}.gz`, `${attempt}.zst`]);
  expect(ddlKey(location, 'orders_p2021_01')).toBe(`shop/public/orders/202101/ddl/${id}-orders_p2021_01.sql`);
  expect(manifestKey(location)).toBe(`shop/public/orders/202101/manifest/${id}.json`);
});

test('only data lies under data/, whatever the names are', () => {
  fc.assert(
    fc.property(name, name, name, name, (database, parentSchema, parentName, partition) => {
      const at = { ...location, database, parentSchema, parentName };
      const levels = (key: string): string => key.split('/').slice(4, -1).join('/');
      expect(levels(segmentKey(at, 0))).toBe('data');
      expect(levels(ddlKey(at, partition))).toBe('ddl');
      expect(levels(manifestKey(at))).toBe('manifest');
    }),
  );
});

test('the longest names that PostgreSQL takes fit into the 1024 bytes that S3 takes', () => {
  const longest = '\u{1F418}'.repeat(15) + 'ééé'.slice(0, 1);
  const at = {
    database: longest,
    parentSchema: longest,
    parentName: longest,
    period: '20210131T235959',
    archiveId: location.archiveId,
  };
  expect(Buffer.byteLength(ddlKey(at, longest))).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(`${segmentKey(at, 2 ** 31 - 1)}_part999`)).toBeLessThanOrEqual(1024);
});

test('the objects of one segment are never taken for those of another one', () => {
  const one = segmentKey(location, 1);
  for (const other of [10, 11, 12, 100]) expect(segmentKey(location, other).startsWith(one)).toBe(false);
  expect(segmentFileKeys(one, 0)).toEqual([]);
  expect(segmentFileKeys(one, 1)).toEqual([one]);
  expect(segmentFileKeys(one, 3)).toEqual([one, `${one}_part2`, `${one}_part3`]);
});
