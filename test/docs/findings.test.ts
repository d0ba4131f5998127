/** The form of `findings/`, as CONTRIBUTING.md describes it; `npm run findings` runs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const FOLDER = join(import.meta.dirname, '..', '..', 'findings');
const names = readdirSync(FOLDER);

test('there is nothing but scripts', () => {
  expect(names.filter((name) => !/^[a-z0-9-]+\.sh$/.test(name))).toEqual([]);
  expect(names.length).toBeGreaterThan(0);
});

// Seen to fail with a package without its version.
test.each(names)('%s pins its packages, says their versions, and works in a folder of its own', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  const comment = /^#!\/bin\/sh\n((?:#.*\n)+)/.exec(text)?.[1] ?? '';
  const packages = /^npm install .*?--loglevel=error (.*?) >/m.exec(text)?.[1]?.split(' ') ?? [];
  expect(packages).not.toEqual([]);
  for (const each of packages) {
    const [, version] = /^@?[^@]+@(\d[^@]*)$/.exec(each) ?? [];
    expect({ package: each, version }).toEqual({ package: each, version: expect.any(String) });
    expect(comment).toContain(version);
  }
  expect(text).toMatch(/^folder=\$\(mktemp -d\)\ntrap 'rm -rf "\$folder"' EXIT\ncd "\$folder"$/m);
});
