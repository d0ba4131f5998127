import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { InvocationRequest, InvocationResponse } from './lambda-messages.ts';
import type { LocalFunction } from './load-state-machine.ts';
import { readMemory } from './process-memory.ts';

/** A failed invocation: `name` is what Retry and Catch match, the message is what AWS gives as the Cause. */
export class InvocationError extends Error {
  constructor(errorType: string, errorMessage: string, trace?: readonly string[]) {
    super(JSON.stringify({ errorType, errorMessage, ...(trace === undefined ? {} : { trace }) }));
    this.name = errorType;
  }
}

/** One invocation that has begun. */
export interface Invocation {
  readonly requestId: string;
  readonly function: LocalFunction;
  readonly event: unknown;
  readonly pid: number;
  /** Whether a new process was started for it. */
  readonly coldStart: boolean;
  /** Ends the process as the kernel does when memory runs out: nothing in it gets a chance to clean up. */
  kill(): void;
}

/** Runs Lambda functions for an execution. */
export interface FunctionRunner {
  /** Invokes a function; rejects with an {@link InvocationError}. */
  invoke(
    target: LocalFunction,
    event: unknown,
    onStart?: (invocation: Invocation) => void,
  ): Promise<{ readonly result: unknown; readonly memoryMiB: number }>;
  /** Ends whatever still runs. */
  close(): Promise<void>;
}

export interface LambdaPoolOptions {
  /** Beside the environment of the template: endpoints, Region, credentials of the local stack. */
  readonly environment: Readonly<Record<string, string>>;
  /** What functions write to stdout and stderr, line by line. */
  readonly onLog?: (line: string, of: LocalFunction) => void;
}

/** How often memory is measured; a function that takes too much is found within this time. */
const MEMORY_CHECK_MS = 100;

/** As Lambda's runtime for Node.js 24 sets them: by the function's memory, unless NODE_OPTIONS says one of them. */
function heapLimits({ memoryMiB, environment }: LocalFunction): string[] {
  if (/--max[-_](?:semi|old)[-_]space[-_]size/.test(environment['NODE_OPTIONS'] ?? '')) return [];
  const young = Math.floor(memoryMiB / 10);
  return [`--max-semi-space-size=${Math.floor(young / 2)}`, `--max-old-space-size=${memoryMiB - young}`];
}

/** Runs Lambda functions, each invocation in a process of its own that is kept warm for the next one. */
export class LambdaPool implements FunctionRunner {
  private readonly options: LambdaPoolOptions;
  private readonly idle = new Map<string, ChildProcess[]>();
  private readonly children = new Set<ChildProcess>();
  private closed = false;

  constructor(options: LambdaPoolOptions) {
    this.options = options;
  }

  async invoke(
    target: LocalFunction,
    event: unknown,
    onStart?: (invocation: Invocation) => void,
  ): Promise<{ result: unknown; memoryMiB: number }> {
    if (this.closed) throw new InvocationError('Runtime.ExitError', 'the execution has ended');
    const warm = this.idle.get(target.arn)?.pop();
    const child = warm ?? this.start(target);
    const requestId = randomUUID();
    // By way of JSON, as on AWS.
    const payload: unknown = JSON.parse(JSON.stringify(event));
    const answer = this.answerOf(child, target, requestId);
    child.send({
      requestId,
      functionArn: target.arn,
      functionName: target.logicalId,
      directory: target.directory,
      handler: target.handler,
      timeoutSeconds: target.timeoutSeconds,
      memoryMiB: target.memoryMiB,
      event: payload,
    } satisfies InvocationRequest);
    onStart?.({
      requestId,
      function: target,
      event: payload,
      pid: child.pid ?? -1,
      coldStart: warm === undefined,
      kill: () => child.kill('SIGKILL'),
    });
    const { response, memoryMiB } = await answer;
    this.release(child, target);
    if (!response.ok) {
      const { errorType, errorMessage, trace } = response.error;
      throw new InvocationError(errorType, errorMessage, trace);
    }
    return { result: JSON.parse(response.result), memoryMiB };
  }

  /** Ends all processes, and waits until they are gone. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(
      [...this.children].map(async (child) => {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
  }

  private start(target: LocalFunction): ChildProcess {
    // As on AWS, where the folder for temporary files goes with the function's environment.
    const temporary = mkdtempSync(join(tmpdir(), 'lambda-'));
    const removeTemporary = (): void => {
      rmSync(temporary, { recursive: true, force: true });
    };
    const child = fork(join(import.meta.dirname, 'lambda-process.ts'), {
      // Only what a Lambda would have: nothing of this process's environment gets in.
      env: {
        AWS_LAMBDA_FUNCTION_NAME: target.logicalId,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMiB),
        LAMBDA_TASK_ROOT: target.directory,
        TZ: ':UTC',
        TMPDIR: temporary,
        ...target.environment,
        ...this.options.environment,
      },
      execArgv: [...heapLimits(target), '--disable-warning=ExperimentalWarning'],
      cwd: target.directory,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.children.add(child);
    // It may die between two invocations, of which its exit tells; without a listener the error would be thrown.
    child.on('error', () => {
      if (child.pid !== undefined) return;
      this.children.delete(child);
      removeTemporary();
    });
    child.once('exit', () => {
      this.children.delete(child);
      removeTemporary();
      const idle = this.idle.get(target.arn);
      const index = idle?.indexOf(child) ?? -1;
      if (index >= 0) idle?.splice(index, 1);
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => this.options.onLog?.(line, target));
    }
    return child;
  }

  private release(child: ChildProcess, target: LocalFunction): void {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const idle = this.idle.get(target.arn) ?? [];
    idle.push(child);
    this.idle.set(target.arn, idle);
  }

  /** Waits for the answer, the end of the process, the time limit or the memory limit, whichever comes first. */
  private async answerOf(
    child: ChildProcess,
    target: LocalFunction,
    requestId: string,
  ): Promise<{ response: InvocationResponse; memoryMiB: number }> {
    const { promise, resolve, reject } = Promise.withResolvers<InvocationResponse>();
    let memoryMiB = 0;
    const fail = (errorType: string, message: string) => {
      reject(new InvocationError(errorType, `RequestId: ${requestId} Error: ${message}`));
      child.kill('SIGKILL');
    };
    const timeout = setTimeout(() => {
      fail('Sandbox.Timedout', `Task timed out after ${target.timeoutSeconds.toFixed(2)} seconds`);
    }, target.timeoutSeconds * 1000);
    const memory = setInterval(() => {
      memoryMiB = Math.max(memoryMiB, readMemory(child.pid));
      if (memoryMiB > target.memoryMiB)
        fail('Runtime.OutOfMemory', 'Runtime exited with error: signal: killed');
    }, MEMORY_CHECK_MS);
    const onExit = (code: number | null, signal: string | null) => {
      const how = signal === null ? `exit status ${String(code)}` : `signal: ${signal}`;
      fail('Runtime.ExitError', `Runtime exited with error: ${how}`);
    };
    const onError = ({ message }: Error) => {
      fail('Runtime.ExitError', message);
    };
    child.once('exit', onExit);
    child.once('error', onError);
    child.once('message', resolve);
    try {
      const response = await promise;
      return { response, memoryMiB: Math.max(memoryMiB, readMemory(child.pid)) };
    } finally {
      clearTimeout(timeout);
      clearInterval(memory);
      child.off('exit', onExit);
      child.off('error', onError);
      child.off('message', resolve);
    }
  }
}
