import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { onDisk } from './errors.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Makes a folder below `parent` that only this process uses. Removes those that processes of this machine left which were
 * killed, and nothing else.
 */
export function ownFolder(parent: string): string {
  return onDisk(() => made(parent));
}

function made(parent: string): string {
  makeFolder(parent);
  const ours = `${hostname()}.`;
  for (const name of readdirSync(parent).filter((each) => each.startsWith(ours))) {
    const pid = Number(/^(\d+)\./.exec(name.slice(ours.length))?.[1] ?? process.pid);
    if (!isRunning(pid)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, `${ours}${String(process.pid)}.`));
}

/** A process of another user is one that may not be signalled. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
