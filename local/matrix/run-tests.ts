import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { programFolder, type PostgresInstallation } from '../stack/installation.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** How one check ended: a test of test/versions, or a whole file of the other tests. */
export interface Check {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly tests: number;
  readonly seconds: number;
  /** One line for each test that failed. */
  readonly failures: readonly string[];
  /** What each skipped test needs and the server lacks, as `testIf` has it in the test's name. */
  readonly needs: readonly string[];
}

/** As jest writes it with --json. */
interface JestResult {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly duration?: number | null;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs tests with jest, as `npm run jest` does, but against another server; everything that they say goes to `log`. */
export async function runTests(
  installation: PostgresInstallation,
  tests: readonly string[],
  log: string,
): Promise<Check[]> {
  const results = `${log}.json`;
  rmSync(results, { force: true });
  const output = openSync(log, 'w');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${results}`];
  const child = spawn(process.execPath, [...flags, ...jest, ...tests], {
    cwd: ROOT,
    env: {
      ...process.env,
      // pg_dump and psql of the same version come first.
      PATH: [programFolder(installation), process.env['PATH'] ?? ''].join(delimiter),
      PARTITION_ARCHIVER_TEST_POSTGRES: JSON.stringify(installation),
    },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      resolve();
    });
  });
  if (!existsSync(results)) throw new Error(`jest ended without results; see ${log}`);
  return checks(JSON.parse(readFileSync(results, 'utf8')) as JestResult);
}

function checks({ testResults }: JestResult): Check[] {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const file = relative(ROOT, name).replace(/\.test\.ts$/, '');
    // A file whose set-up failed has no tests to show for it, or only such as passed.
    const broken = status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
    if (broken)
      return [
        { name: file, outcome: 'failed', tests: 0, seconds: 0, failures: [firstLine(message)], needs: [] },
      ];
    const single = (tests: typeof assertionResults, title: string): Check => {
      const failed = tests.filter((test) => test.status === 'failed');
      const passed = tests.filter((test) => test.status === 'passed');
      return {
        name: title,
        outcome: failed.length > 0 ? 'failed' : passed.length > 0 ? 'passed' : 'skipped',
        tests: passed.length + failed.length,
        seconds: tests.reduce((sum, test) => sum + (test.duration ?? 0) / 1000, 0),
        failures: failed.map(({ fullName, failureMessages }) =>
          [...(fullName === title ? [] : [fullName]), firstLine(failureMessages.join('\n'))].join(': '),
        ),
        needs: tests
          .filter((test) => test.status === 'pending')
          .map(({ fullName }) => /\(needs (.*)\)$/.exec(fullName)?.[1] ?? 'a reason'),
      };
    };
    return file.startsWith('test/versions/')
      ? assertionResults.map((test) => single([test], test.fullName))
      : [single(assertionResults, file)];
  });
}

function firstLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- jest colours its messages
  const plain = text.replace(/\u001b\[[0-9;]*m/g, '');
  return (
    plain
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'no message'
  );
}
