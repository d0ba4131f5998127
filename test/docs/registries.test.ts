/** Packages come from where apt, npm and pip of the machine get them: no file of the project names a registry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { projectFiles } from '../support/project-files.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Written so that this file does not name them either. */
const HOSTS = [
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['snapshot', 'debian', 'org'],
  ['archive', 'ubuntu', 'com'],
  ['apt', 'postgresql', 'org'],
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['crates', 'io'],
  ['proxy', 'golang', 'org'],
  ['repo', 'maven', 'apache', 'org'],
  ['registry-1', 'docker', 'io'],
].map((parts) => parts.join('.'));

/** What npm writes itself. */
const EXCEPT = new Set(['package-lock.json']);

// Seen to fail with the mirror in local/matrix/debian-server.ts, where apt is asked for its own now.
test('no file names the host of a registry of packages', () => {
  const all = projectFiles().filter((name) => !EXCEPT.has(name));
  expect(all.length).toBeGreaterThan(500);
  const found = all.flatMap((name) => {
    const text = readFileSync(join(ROOT, name), 'latin1');
    return HOSTS.filter((host) => text.includes(host)).map((host) => `${name}: ${host}`);
  });
  expect(found).toEqual([]);
});
