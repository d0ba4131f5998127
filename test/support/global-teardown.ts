import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, readProcess } from '../../local/stack/processes.ts';
import type { Started } from './global-setup.ts';
import { KEPT_FILE, stackDirectory } from './stack.ts';

/** Stops the stack of this run, and removes its directory unless a failed test file kept its database there. */
export default async function globalTeardown(): Promise<void> {
  const directory = stackDirectory();
  const { stackProcess, synthesisProcess } = globalThis as Started;
  for (const pid of [synthesisProcess, stackProcess]) {
    const holder = pid === undefined ? undefined : readProcess(pid);
    if (holder !== undefined) await endProcess(holder, 'SIGTERM', 30_000);
  }

  const kept = join(directory, KEPT_FILE);
  if (!existsSync(kept)) {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  process.stderr.write(
    `databases of failed tests were kept: ${readFileSync(kept, 'utf8').trim().split('\n').join(', ')}\n` +
      `look at them by: npx node test/support/stack-process.ts ${directory}; then remove that directory\n`,
  );
}
