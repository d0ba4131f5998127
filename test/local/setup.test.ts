/** local/setup.sh, in a tree of its own: the real npm, and packages that are folders. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const LOCAL = join(import.meta.dirname, '..', '..', 'local');
let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'partition-archiver-setup-'));
  cpSync(join(LOCAL, 'setup.sh'), join(tree, 'local', 'setup.sh'));
  cpSync(join(LOCAL, 'extensions'), join(tree, 'local', 'extensions'), { recursive: true });
});
afterEach(() => {
  rmSync(tree, { recursive: true });
});

/** Writes package.json and package-lock.json with one dependency, as a checkout does. */
function checkOut(dependency: string): void {
  const folder = join(tree, dependency);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: dependency, version: '1.0.0' }));
  const root = { name: 'tree', version: '1.0.0', dependencies: { [dependency]: `file:${dependency}` } };
  writeFileSync(join(tree, 'package.json'), JSON.stringify(root));
  rmSync(join(tree, 'package-lock.json'), { force: true });
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: tree });
}

/** What set-up says. */
function setUp(): string {
  const { status, stderr } = spawnSync('sh', [join(tree, 'local', 'setup.sh')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stderr;
}

function installed(name: string): boolean {
  return existsSync(join(tree, 'node_modules', name, 'package.json'));
}

// Seen to fail with a comparison of modification times: set-up said nothing, and `npm start` found a module missing.
test('a checkout of another lock file below a younger node_modules is installed', () => {
  checkOut('one');
  expect(setUp()).toContain('npm ci');
  expect(installed('one')).toBe(true);

  checkOut('two');
  const later = new Date(Date.now() + 3_600_000);
  utimesSync(join(tree, 'node_modules', '.package-lock.json'), later, later);
  utimesSync(join(tree, 'node_modules'), later, later);
  expect(setUp()).toContain('npm ci');
  expect(installed('two')).toBe(true);
});

test('what is installed is left as it is, whatever the times of the files are', () => {
  checkOut('one');
  setUp();
  const later = new Date(Date.now() + 3_600_000);
  utimesSync(join(tree, 'package-lock.json'), later, later);
  expect(setUp()).toBe('');
});

test('an installation that was broken off is begun again', () => {
  checkOut('one');
  setUp();
  rmSync(join(tree, 'node_modules', '.installed-package-lock.json'));
  expect(setUp()).toContain('npm ci');
});
