/**
 * Holds a local stack for as long as it runs: `node test/support/stack-process.ts <directory>`. The tests' global
 * set-up starts it; by hand, it brings back the databases that a failed run kept.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLocalStack } from '../../local/stack.ts';
import { COORDINATES_FILE, FAILURE_FILE, testInstallation } from './stack.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: node test/support/stack-process.ts <directory>');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  const { postgres, pooler, s3, secrets, glue } = await startLocalStack({
    directory,
    objectStore: 'memory',
    installation: testInstallation(),
    log: say,
  });
  const file = join(directory, COORDINATES_FILE);
  // By rename, so that nobody reads half of it.
  writeFileSync(`${file}.new`, JSON.stringify({ directory, postgres, pooler, s3, secrets, glue }));
  renameSync(`${file}.new`, file);
  const { user, password } = postgres.superuser;
  say(`postgres://${user}:${password}@${postgres.host}:${String(postgres.port)}/postgres`);
  // The stack does not keep its process alive; its own signal handlers end it.
  setInterval(() => undefined, 2 ** 30);
} catch (error) {
  writeFileSync(join(directory, FAILURE_FILE), error instanceof Error ? error.message : String(error));
  throw error;
}
