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

// Seen to fail with a package of npm, one of pip, of Maven and of Go without its version, and with a comment that lacks Maven's.
test.each(names)('%s pins its packages, says their versions, and works in a folder of its own', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  const comment = /^#!\/bin\/sh\n((?:#.*\n)+)/.exec(text)?.[1] ?? '';
  const npm = /^npm install .*?--loglevel=error (.*?) >/m.exec(text)?.[1]?.split(' ') ?? [];
  const pip =
    /^\{ python3 -m venv venv && venv\/bin\/pip install --quiet (.*?); \} >/m.exec(text)?.[1]?.split(' ') ??
    [];
  const maven = [...text.matchAll(/<artifactId>([^<]*)<\/artifactId>(?:<version>(\d[^<]*)<\/version>)?/g)]
    .map(([, name, version]) => [name, version] as const)
    .filter(([name]) => name !== 'finding');
  const go = /^go get (.*?) >/m.exec(text)?.[1]?.split(' ') ?? [];
  // Of a distribution's packages, the one that the finding is about: the servers beside it get security updates.
  const debian = /^apt-get -qq download (.*?) >/m.exec(text)?.[1]?.split(' ') ?? [];
  const packages = [
    ...npm.map((each) => [each, /^@?[^@]+@(\d[^@]*)$/.exec(each)?.[1]] as const),
    ...pip.map((each) => [each, each.split('==')[1]] as const),
    ...maven,
    ...go.map((each) => [each, each.split('@v')[1]] as const),
    ...debian.filter((each) => each.includes('=')).map((each) => [each, each.split('=')[1]] as const),
  ];
  expect(packages).not.toEqual([]);
  for (const [name, version] of packages) {
    expect({ package: name, version }).toEqual({ package: name, version: expect.any(String) });
    expect(comment).toContain(version);
  }
  expect(text).toMatch(/^folder=\$\(mktemp -d\)\ntrap 'rm -rf "\$folder"' EXIT\ncd "\$folder"$/m);
});
