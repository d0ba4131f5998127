import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { makeFolder } from '../../../adapters/disk/make-folder.ts';

const base = mkdtempSync(join(tmpdir(), 'make-folder-'));
afterAll(() => {
  rmSync(base, { recursive: true });
});

test('a folder is made with those above it, for this user alone, and may be there already', () => {
  const folder = join(base, 'a/b/c');
  makeFolder(folder);
  makeFolder(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a file where a folder should be is an error that names it', () => {
  const file = join(base, 'file');
  writeFileSync(file, '');
  expect(() => {
    makeFolder(join(file, 'below'));
  }).toThrow(`EEXIST: file already exists, mkdir '${file}'`);
});

// Seen to fail with mkdirSync(path, { recursive: true }) of Node.js 24: it did not end.
test('a folder in which none can be made is an error', () => {
  expect(existsSync('/proc/self')).toBe(true);
  expect(() => {
    makeFolder('/proc/self/none/below');
  }).toThrow("ENOENT: no such file or directory, mkdir '/proc/self/none'");
});
