import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endProcess, isAlive, readProcess, waitForEnd } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';

const DYING_MS = 2000;

interface Owner extends ProcessIdentity {
  readonly ancestors: readonly ProcessIdentity[];
}

/**
 * Takes a stack's directory for this process. A living owner is an error, unless it is an orphan: where somebody
 * killed `npm start`, its child may still hold the stack, and the next `npm start` takes over.
 */
export async function takeOwnership(
  directory: string,
  log: (line: string) => void,
): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'owner.json');
  const owner = existsSync(file) ? parse(readFileSync(file, 'utf8')) : undefined;
  // One that was told to end just now is given the time to.
  if (owner !== undefined && owner.pid !== process.pid && !(await waitForEnd(owner, DYING_MS))) {
    const orphan = !owner.ancestors.every((ancestor) => isAlive(ancestor));
    if (!orphan) {
      throw new Error(
        `the local stack in ${directory} is in use by process ${String(owner.pid)}; end it first`,
      );
    }
    log(`ending process ${String(owner.pid)}, which an earlier run left behind`);
    await endProcess(owner, 'SIGTERM', 20_000);
  }
  writeFileSync(file, JSON.stringify(describeSelf()));
  return () => rm(file, { force: true });
}

function describeSelf(): Owner {
  const self = readProcess(process.pid);
  if (self === undefined) throw new Error('/proc is not mounted, and the local stack needs it');
  const ancestors: ProcessIdentity[] = [];
  for (let pid = self.parentPid; pid > 1;) {
    const ancestor = readProcess(pid);
    if (ancestor === undefined) break;
    ancestors.push({ pid, startTime: ancestor.startTime });
    pid = ancestor.parentPid;
  }
  return { pid: self.pid, startTime: self.startTime, ancestors };
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

/** Stops the stack when this process is told to end, and then ends it; returns how to undo that. */
export function stopOnSignals(stop: () => Promise<void>): () => void {
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const handlers = Object.entries(signals).map(([signal, status]) => {
    const handler = (): void => {
      void stop().finally(() => {
        process.exit(status);
      });
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
