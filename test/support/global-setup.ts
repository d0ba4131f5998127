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

const PREFIX = 'partition-archiver-test-';

/** Starts the stack of this run in a process of its own, and does not wait for it: `stack()` does. */
export default function globalSetup(): void {
  sweep();
  // What tests start is mostly node with these sources, and half of each start was to strip and compile them: the command
  // with --help took 0.64 s of processor, and takes 0.30 s.
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../.local/compile-cache');
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  // The server's account must be able to go in.
  chmodSync(directory, 0o755);
  const output = openSync(join(directory, 'stack.log'), 'a');
  const program = join(import.meta.dirname, 'stack-process.ts');
  const child = spawn('setpriv', ['--pdeathsig=SIGTERM', '--', process.execPath, program, directory], {
    // jest's own flags are not meant for it.
    env: { ...process.env, NODE_OPTIONS: '' },
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  process.env[STACK_DIRECTORY] = directory;
  (globalThis as { stackProcess?: number | undefined }).stackProcess = child.pid;
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
