/**
 * `npm run test:matrix`: the pipeline on every PostgreSQL and pg_partman that Debian has, side by side. Fetches the
 * servers that this machine has not got, runs the tests against each, and prints a table. Exit code 0 only if all
 * passed on all.
 *
 *     npm run test:matrix                                  all tests that use a database; writes docs/versions.md
 *     npm run test:matrix -- test/scenarios/archive/main-job       only these tests
 *     npm run test:matrix -- --only 17,18 --refresh        only these servers, fetched again
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOptions } from '../adapters/command-options.ts';
import { ensureServer, versionsOf, type DebianRelease } from './matrix/debian-server.ts';
import { record, type TestedServer } from './matrix/record.ts';
import { runTests, type Check } from './matrix/run-tests.ts';

const RELEASES: readonly DebianRelease[] = [
  { suites: ['bookworm'], major: 15 },
  { suites: ['trixie'], major: 17 },
  { suites: ['forky'], major: 18 },
  // A release candidate; no package has pg_partman for it yet.
  { suites: ['experimental', 'sid'], major: 19, partmanOf: 18 },
];
/** The folders whose tests depend on the server's version. */
const DEFAULT_TESTS = ['test/versions', 'test/scenarios', 'test/db', 'test/adapters/postgres'];
const PAGE = join(import.meta.dirname, '../docs/versions.md');

/** What was run on one server. */
interface Column extends TestedServer {
  readonly title: string;
}

const { values: options, positionals } = commandOptions(import.meta.filename, {
  options: { only: { type: 'string' }, refresh: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const directory = join(import.meta.dirname, '..', '.local', 'matrix');

const say = (line = ''): void => {
  process.stdout.write(`${line}\n`);
};

process.exitCode = await main();

async function main(): Promise<number> {
  const only = options.only?.split(',').map(Number);
  mkdirSync(directory, { recursive: true });
  const columns: Column[] = [];
  for (const release of RELEASES.filter(({ major }) => only?.includes(major) ?? true)) {
    columns.push(await test(release));
  }
  printTable(columns);
  if (positionals.length === 0) writeFileSync(PAGE, record(readFileSync(PAGE, 'utf8'), columns, new Date()));
  const failures = columns.flatMap(({ title, checks }) =>
    checks.flatMap((check) => check.failures.map((failure) => `${title}: ${check.name}: ${failure}`)),
  );
  for (const failure of failures) say(failure);
  const empty = columns.length === 0 || columns.some(({ checks }) => checks.length === 0);
  if (empty) say('nothing was tested');
  return failures.length > 0 || empty ? 1 : 0;
}

async function test(release: DebianRelease): Promise<Column> {
  const { installation, packages } = await ensureServer(release, directory, options.refresh, say);
  const { postgres, partman } = await versionsOf(installation);
  const title = `PostgreSQL ${postgres}, pg_partman ${partman}`;
  const log = join(directory, `${release.suites[0]}.log`);
  say(`${title} (Debian ${release.suites[0]}: ${packages}); output in ${log}`);
  const started = performance.now();
  const checks = await runTests(installation, positionals.length > 0 ? positionals : DEFAULT_TESTS, log);
  const seconds = (performance.now() - started) / 1000;
  return { title, postgres, partman, packages, checks, seconds };
}

/** Markdown, so that it can go into the documentation as it is. */
function printTable(columns: readonly Column[]): void {
  const names = [...new Set(columns.flatMap(({ checks }) => checks.map(({ name }) => name)))].sort();
  const row = (cells: readonly string[]): void => say(`| ${cells.join(' | ')} |`);
  say();
  row(['check', ...columns.map(({ title }) => title)]);
  row(['---', ...columns.map(() => '---')]);
  for (const name of names) {
    row([name, ...columns.map(({ checks }) => cell(checks.find((check) => check.name === name)))]);
  }
  row(['in all', ...columns.map(({ checks, seconds }) => total(checks, seconds))]);
  say();
}

function cell(check: Check | undefined): string {
  if (check === undefined || check.outcome === 'skipped') return '–';
  const { outcome, tests, failures, seconds } = check;
  const took = `${seconds.toFixed(1)} s`;
  if (outcome === 'failed')
    return `FAILED ${String(failures.length)} of ${String(Math.max(tests, 1))}, ${took}`;
  return tests > 1 ? `${String(tests)} passed, ${took}` : `passed, ${took}`;
}

function total(checks: readonly Check[], seconds: number): string {
  const failed = checks.reduce((sum, { failures }) => sum + failures.length, 0);
  const tests = checks.reduce((sum, check) => sum + check.tests, 0);
  return `${failed === 0 ? `${String(tests)} passed` : `FAILED ${String(failed)} of ${String(tests)}`}, ${seconds.toFixed(0)} s`;
}
