/**
 * Starts, records and ends the daemons of one local stack.
 *
 * Each daemon is a foreground child in a session of its own (so that Ctrl-C reaches us and not it, and the
 * order of stopping is ours). Three things see to it that none outlives us: `stop`, an `exit` handler, and the
 * kernel's parent-death signal, which also works when we are killed with -9. What still ran when the machine
 * froze in between is found at the next start by its pid file and ended then.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceAccountFlags } from './commands.ts';

/** What a daemon is and how it wants to be ended. */
export interface DaemonSpec {
  readonly name: string;
  readonly command: readonly string[];
  /** Ends it gracefully: `SIGINT` is PostgreSQL's fast shutdown, for example. */
  readonly stopSignal: NodeJS.Signals;
  /** How long the graceful end may take before SIGKILL. */
  readonly stopTimeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Runs under the service account where we are root. */
  readonly unprivileged?: boolean;
}

/** A running daemon. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** False from the moment that it has ended for any reason. */
  isRunning(): boolean;
  /** Whether its pid is nobody's: not a zombie's either. */
  isReaped(): boolean;
  stop(): Promise<void>;
}

/** A process as the kernel identifies it: a pid alone may have been given to another process meanwhile. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

interface ProcessStatus extends ProcessIdentity {
  readonly parentPid: number;
}

/** Reads a process from /proc; undefined when there is none, or only its zombie. */
export function readProcess(pid: number): ProcessStatus | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid] = fields;
  const ticks = fields[19];
  if (state === undefined || parentPid === undefined || ticks === undefined || 'ZX'.includes(state)) {
    return undefined;
  }
  // The start time counts from boot, so it identifies a process only together with the boot.
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return { pid, parentPid: Number(parentPid), startTime: `${boot}/${ticks}` };
}

/** Whether exactly this process, and not a later one with its pid, still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readProcess(identity.pid)?.startTime === identity.startTime;
}

/** Sends a signal and waits for the end; SIGKILL after the timeout. */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  if (!isAlive(identity)) return;
  signalProcess(identity.pid, signal);
  if (await waitForEnd(identity, timeoutMs)) return;
  signalProcess(identity.pid, 'SIGKILL');
  if (!(await waitForEnd(identity, 10_000))) {
    throw new Error(`process ${String(identity.pid)} does not end, even after SIGKILL`);
  }
}

/** Waits for the end of a process; false when it still runs after the timeout. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; waited < timeoutMs; waited += 10) {
    if (!isAlive(identity)) return true;
    await sleep(10);
  }
  return !isAlive(identity);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The daemons of one stack, recorded in `<directory>/run`. */
export class Supervisor {
  readonly #runDirectory: string;
  readonly #logDirectory: string;
  readonly #running = new Map<string, { identity: ProcessIdentity; spec: DaemonSpec }>();
  readonly #onExit = (): void => {
    for (const { identity, spec } of this.#running.values()) {
      if (isAlive(identity)) signalProcess(identity.pid, spec.stopSignal);
    }
  };

  private constructor(directory: string) {
    this.#runDirectory = join(directory, 'run');
    this.#logDirectory = join(directory, 'log');
    process.on('exit', this.#onExit);
  }

  /** Opens the records of a stack's directory and ends whatever an earlier life of it left running. */
  static async open(directory: string, log: (line: string) => void): Promise<Supervisor> {
    const supervisor = new Supervisor(directory);
    await mkdir(supervisor.#runDirectory, { recursive: true });
    await mkdir(supervisor.#logDirectory, { recursive: true });
    await supervisor.#endLeftovers(log);
    return supervisor;
  }

  /** Starts a daemon in the foreground; it is up to the caller to wait until it is ready. */
  start(spec: DaemonSpec): Daemon {
    const logFile = join(this.#logDirectory, `${spec.name}.log`);
    const output = openSync(logFile, 'a');
    // One setpriv for both: a change of account after it would clear the parent-death signal again.
    const account = spec.unprivileged === true ? serviceAccountFlags() : [];
    const args = [`--pdeathsig=${spec.stopSignal}`, ...account, '--', ...spec.command];
    const child = spawn('setpriv', args, {
      cwd: spec.cwd,
      env: spec.env ?? process.env,
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    // The daemons must not keep us alive: a caller that wants the stack to stay waits for something of its own.
    child.unref();
    child.on('error', () => undefined);
    let isReaped = false;
    child.once('exit', () => (isReaped = true));
    const identity = child.pid === undefined ? undefined : readProcess(child.pid);
    if (identity === undefined) {
      throw new Error(`${spec.name} could not be started: setpriv is missing or failed at once`);
    }
    writeFileSync(this.#pidFile(spec.name), JSON.stringify({ ...identity, stopSignal: spec.stopSignal }));
    this.#running.set(spec.name, { identity, spec });
    return {
      name: spec.name,
      pid: identity.pid,
      logFile,
      isRunning: () => isAlive(identity),
      isReaped: () => isReaped,
      stop: () => this.#stop(spec.name),
    };
  }

  /** Stops every daemon, the last started first. */
  async stopAll(): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.#stop(name);
    process.off('exit', this.#onExit);
  }

  async #stop(name: string): Promise<void> {
    const entry = this.#running.get(name);
    if (entry === undefined) return;
    await endProcess(entry.identity, entry.spec.stopSignal, entry.spec.stopTimeoutMs ?? 10_000);
    this.#running.delete(name);
    rmSync(this.#pidFile(name), { force: true });
  }

  async #endLeftovers(log: (line: string) => void): Promise<void> {
    const files = readdirSync(this.#runDirectory).filter((file) => file.endsWith('.pid'));
    await Promise.all(
      files.map(async (file) => {
        const path = join(this.#runDirectory, file);
        const leftover = parsePidFile(readFileSync(path, 'utf8'));
        if (leftover !== undefined && isAlive(leftover)) {
          log(`ending ${file.replace('.pid', '')} (process ${String(leftover.pid)}) of an earlier start`);
          await endProcess(leftover, leftover.stopSignal, 10_000);
        }
        rmSync(path, { force: true });
      }),
    );
  }

  #pidFile(name: string): string {
    return join(this.#runDirectory, `${name}.pid`);
  }
}

/** A pid file may be half written by a process that was killed; such a one names nothing that we can trust. */
function parsePidFile(text: string): (ProcessIdentity & { stopSignal: NodeJS.Signals }) | undefined {
  try {
    return JSON.parse(text) as ProcessIdentity & { stopSignal: NodeJS.Signals };
  } catch {
    return undefined;
  }
}

/** Polls until `ready` returns true; an ended daemon or the timeout is an error with the end of its log. */
export async function waitUntilReady(
  daemon: Daemon,
  ready: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const started = performance.now();
  for (;;) {
    if (await ready()) return;
    const tail = (): string => readFileSync(daemon.logFile, 'utf8').trim().split('\n').slice(-12).join('\n');
    if (!daemon.isRunning()) throw new Error(`${daemon.name} ended while starting:\n${tail()}`);
    if (performance.now() - started > timeoutMs) {
      throw new Error(`${daemon.name} is not ready after ${String(timeoutMs / 1000)} s:\n${tail()}`);
    }
    await sleep(20);
  }
}
