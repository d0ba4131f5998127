import type { StateMachine } from 'aws-local-stepfunctions';
import type { FunctionRunner, Invocation } from './lambda-pool.ts';
import type { LocalFunction } from './load-state-machine.ts';

type Library = ReturnType<StateMachine['run']>;
/** An event of the library's history: `StateEntered`, `StateRetried`, `StateCaught`, `MapIterationFailed` … */
export type StateEvent = Library['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;
export type Json = Parameters<StateMachine['run']>[0];

/** An invocation of a Lambda function as a Task made it. The names are those of AWS's own history. */
export type FunctionEvent = {
  readonly state: string;
  readonly timestamp: number;
  readonly requestId: string;
  /** What the function was given. */
  readonly payload: unknown;
} & (
  | { readonly type: 'LambdaFunctionStarted' }
  | {
      readonly type: 'LambdaFunctionSucceeded';
      readonly output: unknown;
      readonly durationMs: number;
      readonly memoryMiB: number;
    }
  | {
      readonly type: 'LambdaFunctionFailed' | 'LambdaFunctionTimedOut';
      readonly error: string;
      readonly cause: string;
      readonly durationMs: number;
    }
);

export type HistoryEvent = StateEvent | FunctionEvent;

export interface ExecutionOptions {
  /** Endpoints, Region and credentials of the local stack, for all functions. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Name of the execution.
   *
   * @default - a new UUID
   */
  readonly name?: string;
  /**
   * What runs the functions.
   *
   * @default - a process for each function and invocation under way
   */
  readonly runner?: FunctionRunner;
  /** Called with each event as it happens. */
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Called at each invocation, with the means to kill it. */
  readonly onInvoke?: (invocation: Invocation & { readonly state: string }) => void;
  readonly onLog?: (line: string, of: LocalFunction) => void;
  /**
   * ARNs of other executions that run, as ListExecutions shows them.
   *
   * @default - none runs
   */
  readonly running?: readonly string[];
  /** Stops the execution, as StopExecution does. */
  readonly signal?: AbortSignal;
  /**
   * What every retry waits for, instead of what the definition says.
   *
   * @default - what the definition says
   */
  readonly retryIntervalMs?: number;
}

/** How an execution ended, in the words of DescribeExecution. */
export interface ExecutionResult {
  readonly arn: string;
  readonly name: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';
  readonly input: Json;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  readonly startDate: Date;
  readonly stopDate: Date;
  readonly redriveCount: number;
  /** Number of events of each type. */
  readonly history: Readonly<Record<string, number>>;
  /** Where it failed: what a redrive starts with. */
  readonly failedState?: { readonly name: string; readonly input: Json };
}
