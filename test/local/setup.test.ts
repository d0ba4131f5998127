/** local/setup.sh, in a tree of its own: the real npm with packages that are folders, the real apt with lists of a few lines. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const LOCAL = join(import.meta.dirname, '..', '..', 'local');
let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'partition-archiver-setup-'));
  for (const script of ['setup.sh', 'packages.sh']) cpSync(join(LOCAL, script), join(tree, 'local', script));
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

/** What apt knows of a distribution: the versions of a few packages, as its lists had them on 29 November 2026. */
function useLists(packages: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const folder = join(tree, 'apt');
  for (const name of ['lists/partial', 'archives/partial', 'repository'])
    mkdirSync(join(folder, name), { recursive: true });
  const stanzas = Object.entries(packages).map(
    ([name, version]) =>
      `Package: ${name}\nVersion: ${version}\nArchitecture: all\nFilename: ./${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\nDescription: x\n`,
  );
  writeFileSync(join(folder, 'repository', 'Packages'), stanzas.join('\n'));
  writeFileSync(join(folder, 'status'), '');
  writeFileSync(join(folder, 'sources.list'), `deb [trusted=yes] file:${join(folder, 'repository')} ./\n`);
  const settings = {
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '-',
    'Dir::State': folder,
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'APT::Sandbox::User': 'root',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(join(folder, 'apt.conf'), lines.join(''));
  const env = { ...process.env, APT_CONFIG: join(folder, 'apt.conf') };
  execFileSync('apt-get', ['-qq', 'update'], { env });
  return env;
}

test.each([
  ['Debian 12', { 'postgresql-15': '15.20-0+deb12u1', 'postgresql-15-partman': '4.7.2-1' }, '15 4.7.2'],
  ['Debian 13', { 'postgresql-17': '17.11-0+deb13u1', 'postgresql-17-partman': '5.2.4-2' }, '17 5.2.4'],
  ['Ubuntu 24.04', { 'postgresql-16': '16.2-1ubuntu4', 'postgresql-16-partman': '5.0.1-1' }, '16 5.0.1'],
  ['Ubuntu 26.04', { 'postgresql-18': '18.3-1', 'postgresql-18-partman': '5.4.1-1' }, '18 5.4.1'],
  // Seen to fail without the comparison: 14, with a pg_partman that the archiver does not know.
  ['Ubuntu 22.04', { 'postgresql-14': '14.2-1ubuntu1', 'postgresql-14-partman': '4.6.0-1' }, ''],
  // Lists of several distributions on one machine: the newest that has both.
  [
    'a mixture',
    {
      'postgresql-9.6': '9.6.1-1',
      'postgresql-15': '15.20-0+deb12u1',
      'postgresql-15-partman': '1:4.7.2-1',
      'postgresql-17': '17.11-1',
      'postgresql-18-partman': '5.5.0-1',
    },
    '15 4.7.2',
  ],
  ['no such package', { 'postgresql-15': '15.20-0+deb12u1' }, ''],
])('what is installed on %s', (_, packages, expected) => {
  const env = useLists(packages);
  const script = `. "$1"; major=$(packaged_major); [ -z "$major" ] || echo "$major $(version_of "postgresql-$major-partman")"`;
  const said = execFileSync('sh', ['-euc', script, 'sh', join(LOCAL, 'packages.sh')], {
    env,
    encoding: 'utf8',
  });
  expect(said.trim()).toBe(expected);
});
