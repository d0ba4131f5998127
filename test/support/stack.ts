import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StackCoordinates } from '../../local/stack.ts';
import { installedPostgres, type PostgresInstallation } from '../../local/stack/installation.ts';

export type { StackCoordinates } from '../../local/stack.ts';

/** Names the directory of the run's stack; set by the global set-up, inherited by the workers. */
export const STACK_DIRECTORY = 'PARTITION_ARCHIVER_TEST_STACK';

/** Names another PostgreSQL than this machine's, as JSON of a `PostgresInstallation`: how the matrix runs the tests. */
const INSTALLATION = 'PARTITION_ARCHIVER_TEST_POSTGRES';

/** The PostgreSQL of this run. */
export function testInstallation(): PostgresInstallation {
  const other = process.env[INSTALLATION];
  return other === undefined ? installedPostgres() : (JSON.parse(other) as PostgresInstallation);
}

/** The major version of the run's PostgreSQL, known before it accepts connections: to leave out tests of what it has not got. */
export function serverMajor(): number {
  return testInstallation().major;
}

/** Written by the stack's process when all of it runs, and when it failed, respectively. */
export const COORDINATES_FILE = 'coordinates.json';
export const FAILURE_FILE = 'failure.txt';

/** Test files leave the names of databases here that were kept for a look at them. */
export const KEPT_FILE = 'kept-databases.txt';

const PATIENCE_MS = 300_000;

/** The directory of the run's stack. */
export function stackDirectory(): string {
  const directory = process.env[STACK_DIRECTORY];
  if (directory === undefined)
    throw new Error('the tests are to be run by jest, whose set-up starts the stack');
  return directory;
}

/**
 * Where the run's local stack is. The stack starts beside the first tests, so that those which need none do not
 * wait for it; the first caller waits here, and blocks, which lets `stack()` be used outside of async code.
 */
export function stack(): StackCoordinates {
  const directory = stackDirectory();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    if (existsSync(join(directory, COORDINATES_FILE))) {
      return JSON.parse(readFileSync(join(directory, COORDINATES_FILE), 'utf8')) as StackCoordinates;
    }
    if (existsSync(join(directory, FAILURE_FILE))) {
      throw new Error(
        `the local stack did not start: ${readFileSync(join(directory, FAILURE_FILE), 'utf8')}`,
      );
    }
    Atomics.wait(pause, 0, 0, 20);
  }
  throw new Error(`the local stack in ${directory} did not start within ${String(PATIENCE_MS / 1000)} s`);
}
