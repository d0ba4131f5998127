import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { leanEnvironment } from '../support/command.ts';
import type { Job, JobResult } from './runner.ts';

/** How a run in another process ended. */
export type RunEnd =
  | JobResult
  | { readonly ok: false; readonly name: 'killed'; readonly message: string }
  | { readonly ok: false; readonly name: 'crashed'; readonly message: string }
  | { readonly ok: false; readonly name: 'hung'; readonly message: string };

/** Longer than all retries take on a busy machine. */
const PATIENCE_MS = 180_000;

interface Runner {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly errors: string[];
}

/** Processes for runs. The next one starts while the present one works, since a kill costs a process. */
export class Runners {
  #current: Runner = start();
  #next: Runner = start();
  #killed = false;

  /** Kills the process of the present run with -9. */
  kill(): void {
    this.#killed = true;
    this.#current.child.kill('SIGKILL');
  }

  /** Lets the present run wait less for a silent S3. */
  hurry(): void {
    this.#current.child.send('hurry');
  }

  async run(job: Job): Promise<RunEnd> {
    const { child, ready, errors } = this.#current;
    await ready;
    this.#killed = false;
    const timer = new AbortController();
    const ended = Promise.race([
      once(child, 'message', { signal: timer.signal }).then(([result]) => result as JobResult),
      once(child, 'exit', { signal: timer.signal }).then((): RunEnd => ({
        ok: false,
        name: this.#killed ? 'killed' : 'crashed',
        message: errors.join('').slice(-2000),
      })),
      after(PATIENCE_MS, timer.signal).then((): RunEnd => ({
        ok: false,
        name: 'hung',
        message: 'it did not end',
      })),
    ]);
    child.send(job);
    const end = await ended;
    timer.abort();
    if (!end.ok && ['killed', 'crashed', 'hung'].includes(end.name)) {
      child.kill('SIGKILL');
      this.#current = this.#next;
      this.#next = start();
    }
    return end;
  }

  close(): void {
    this.#current.child.kill('SIGKILL');
    this.#next.child.kill('SIGKILL');
  }
}

function start(): Runner {
  const errors: string[] = [];
  const child = fork(join(import.meta.dirname, 'runner.ts'), [], {
    execArgv: [],
    env: leanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr?.on('data', (data: Buffer) => errors.push(data.toString()));
  return { child, ready: once(child, 'message'), errors };
}

async function after(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
