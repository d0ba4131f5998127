import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutate, type Ending, type Mutant } from './mutant.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What tests need of the repository. */
const PARTS = [
  'core',
  'adapters',
  'bin',
  'db',
  'lambdas',
  'lib',
  'local',
  'test',
  'package.json',
  'partition-archiver.example.json',
  'partition-archiver.schema.json',
];

/** Runs something while the mutant is not in its file. */
export type Without = <T>(unchanged: () => Promise<T>) => Promise<T>;

/** A copy of the repository in which one mutant at a time lives. */
export class Workbench {
  readonly directory: string;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'mutation-'));
    for (const part of PARTS) cpSync(join(ROOT, part), join(this.directory, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.directory, 'node_modules'));
    writeFileSync(join(this.directory, 'jest.config.js'), CONFIGURATION);
  }

  /** Runs `work` while the mutant is in its file, except during what `work` gives to `without`. */
  async with<T>(mutant: Mutant, work: (without: Without) => Promise<T>): Promise<T> {
    const file = join(this.directory, mutant.file);
    const text = readFileSync(file, 'utf8');
    const put = (): void => writeFileSync(file, mutate(text, mutant));
    const takeOut = (): void => writeFileSync(file, text);
    put();
    try {
      return await work(async (unchanged) => {
        takeOut();
        try {
          return await unchanged();
        } finally {
          put();
        }
      });
    } finally {
      takeOut();
    }
  }

  /** Runs tests, up to the first one that fails (see environment.ts); `environment` names a stack where they need one. */
  jest(
    parameters: readonly string[],
    patienceMs: number,
    environment: Record<string, string> = {},
    output: 'ignore' | 'inherit' = 'ignore',
  ): Promise<Ending> {
    const program = join(this.directory, 'node_modules', 'jest', 'bin', 'jest.js');
    const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', program];
    const child = spawn(process.execPath, [...node, '--bail', '--runInBand', ...parameters], {
      cwd: this.directory,
      env: { ...process.env, ...environment },
      stdio: output,
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        resolve('hung');
      }, patienceMs);
      child.once('exit', (code) => {
        clearTimeout(timer);
        resolve(code === 0 ? 'passed' : 'failed');
      });
    });
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The repository's own configuration, but that no stack is started: where one is needed it is there already. */
const CONFIGURATION = `import config from '${join(ROOT, 'jest.config.js')}';
const { globalSetup, globalTeardown, coverageThreshold, ...rest } = config;
const testEnvironment = '<rootDir>/test/mutation/environment.ts';
export default { ...rest, testEnvironment, rootDir: import.meta.dirname, watchman: false };
`;
