import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../local/stack/processes.ts';
import type { ProcessIdentity } from '../../local/stack/processes.ts';
import { KEPT_FILE, STACK_DIRECTORY } from './stack.ts';

/** What the global set-up started, for the global teardown. */
export interface Started {
  stackProcess?: number | undefined;
  synthesisProcess?: number | undefined;
}

const PREFIX = 'partition-archiver-test-';

/**
 * Starts the stack of this run, and what synthesises for it, in processes of their own, and does not wait for them: `stack()` and
 * `ask()` do.
 */
export default function globalSetup(): void {
  sweep();
  // What tests start is mostly node with these sources, and half of each start was to strip and compile them: the command
  // with --help took 0.64 s of processor, and takes 0.30 s.
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../.local/compile-cache');
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  // The server's account must be able to go in.
  chmodSync(directory, 0o755);
  process.env[STACK_DIRECTORY] = directory;
  const started = globalThis as Started;
  started.stackProcess = start('support/stack-process.ts', directory, 'stack.log');
  started.synthesisProcess = start('lib/synthesis/process.ts', directory, 'synthesis.log');
}

/** Starts a program of test/ that ends with this process, and returns its id. */
function start(program: string, directory: string, log: string): number | undefined {
  const output = openSync(join(directory, log), 'a');
  const file = join(import.meta.dirname, '..', program);
  const child = spawn('setpriv', ['--pdeathsig=SIGTERM', '--', process.execPath, file, directory], {
    // jest's own flags are not meant for it.
    env: { ...process.env, NODE_OPTIONS: '' },
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  return child.pid;
}

/** Removes what runs left behind that were killed; a kept directory is for a person to look at. */
function sweep(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const directory = join(tmpdir(), name);
    if (existsSync(join(directory, KEPT_FILE)) || isInUse(directory)) continue;
    rmSync(directory, { recursive: true, force: true });
  }
}

function isInUse(directory: string): boolean {
  const owner = join(directory, 'owner.json');
  if (existsSync(owner)) return isAlive(JSON.parse(readFileSync(owner, 'utf8')) as ProcessIdentity);
  // Another run may be just about to start its stack there, or to remove it.
  return Date.now() - statSync(directory).mtimeMs < 10 * 60_000;
}
