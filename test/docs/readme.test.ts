import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../core/errors.ts';
import { runCommand } from '../support/command.ts';
import { useDatabase } from '../support/database.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const database = useDatabase();

describe('the README', () => {
  test('links the page of errors and repeats none of its rows', () => {
    expect(readme).toContain('(docs/errors.md)');
    const rows = [...readme.matchAll(/^\| `(\w+)` \|/gm)].filter(([, code = '']) => code in CATALOGUE);
    expect(rows).toEqual([]);
  });

  test('its preparation of a database works by psql, twice', async () => {
    const { sql, url, name } = database();
    await sql`create schema partman`;
    await sql`create extension pg_partman schema partman`;
    await sql`create extension aws_s3 cascade`;
    const owner = `shop_owner_${name.slice(-8)}`;
    await sql.unsafe(`create role "${owner}"`);
    await sql`create schema shop`;
    for (const args of [
      ['-f', 'db/install.sql'],
      ['-f', 'db/install.sql'],
      ['-c', `select partition_archiver.register_owner('${owner}', '{shop}')`],
    ]) {
      expect(await runCommand('psql', ['-X', '-q', '-d', url, ...args])).toMatchObject({ code: 0 });
    }
    expect(await sql`select pg_has_role('archiver_owner', ${owner}, 'usage') as member`).toEqual([
      { member: true },
    ]);
    await sql.unsafe(
      `drop schema shop; revoke "${owner}" from archiver_owner, archiver_maintain; drop role "${owner}"`,
    );
  });
});
