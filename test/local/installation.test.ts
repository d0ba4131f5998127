/** Which of the machine's PostgreSQL servers the local stack takes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { installedPostgres, partmanVersion } from '../../local/stack/installation.ts';

let prefix: string;

beforeEach(() => {
  prefix = mkdtempSync(join(tmpdir(), 'partition-archiver-usr-'));
});
afterEach(() => {
  rmSync(prefix, { recursive: true });
});

function put(path: string, text = ''): void {
  mkdirSync(dirname(join(prefix, path)), { recursive: true });
  writeFileSync(join(prefix, path), text);
}

const server = (major: number): void => put(`lib/postgresql/${String(major)}/bin/postgres`);
const partman = (major: number, version: string): void =>
  put(
    `share/postgresql/${String(major)}/extension/pg_partman.control`,
    `default_version = '${version}'\nrelocatable = false\n`,
  );

// Debian 12 has 15, 13 has 17, the next release 18.
test.each([
  [15, '4.7.2'],
  [17, '5.2.4'],
  [18, '5.5.0'],
])('PostgreSQL %d with pg_partman %s is taken', (major, version) => {
  server(major);
  partman(major, version);
  expect(installedPostgres(prefix)).toEqual({ prefix, major });
  expect(partmanVersion(installedPostgres(prefix))).toBe(version);
});

test('the newest that has pg_partman is taken, by number', () => {
  for (const major of [9, 15, 17, 18]) server(major);
  for (const major of [9, 15]) partman(major, '4.7.2');
  partman(17, '5.2.4');
  put('lib/postgresql/common/bin/postgres');
  expect(installedPostgres(prefix)).toEqual({ prefix, major: 17 });
});

test('without pg_partman, or without the server, set-up is named', () => {
  expect(() => installedPostgres(prefix)).toThrow(/sh local\/setup\.sh/);
  server(17);
  partman(15, '4.7.2');
  expect(() => installedPostgres(prefix)).toThrow(/no PostgreSQL with pg_partman is installed/);
});
