import { randomUUID } from 'node:crypto';
import { ExecutionAbortedError, ExecutionTimeoutError, StateMachine } from 'aws-local-stepfunctions';
import { allStates } from './definition.ts';
import type { ExecutionOptions, ExecutionResult, HistoryEvent, Json } from './execution.ts';
import { LambdaPool } from './lambda-pool.ts';
import type { LocalStateMachine } from './load-state-machine.ts';
import { DATA_LIMIT_EXCEEDED, payloadWatch } from './payload-limit.ts';
import { taskHandlers } from './task-handlers.ts';

export type { ExecutionOptions, ExecutionResult, HistoryEvent } from './execution.ts';

/** Runs a state machine from its start. An execution that fails is a result; only a fault of the runner throws. */
export function runExecution(
  machine: LocalStateMachine,
  input: object,
  options: ExecutionOptions,
): Promise<ExecutionResult> {
  return execute(machine, machine.definition.StartAt, input as Json, input as Json, 0, options);
}

/** Runs a failed execution on from the state that it failed in, as RedriveExecution does. */
export function redriveExecution(
  machine: LocalStateMachine,
  failed: ExecutionResult,
  options: ExecutionOptions,
): Promise<ExecutionResult> {
  if (failed.failedState === undefined) throw new Error(`execution ${failed.name} did not fail in a state`);
  const { name, input } = failed.failedState;
  return execute(machine, name, input, failed.input, failed.redriveCount + 1, {
    ...options,
    name: failed.name,
  });
}

async function execute(
  machine: LocalStateMachine,
  startAt: string,
  stateInput: Json,
  input: Json,
  redriveCount: number,
  options: ExecutionOptions,
): Promise<ExecutionResult> {
  const name = options.name ?? randomUUID();
  const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const startDate = new Date();
  const history: Record<string, number> = {};
  const excessOf = payloadWatch();
  let excess: string | undefined;
  let current: { name: string; input: Json } | undefined;
  const onEvent = (event: HistoryEvent) => {
    history[event.type] = (history[event.type] ?? 0) + 1;
    // Events of a Map's iterations have an index.
    if (event.type === 'StateEntered' && event.index === undefined) {
      current = { name: event.state.name, input: event.state.input };
    }
    options.onEvent?.(event);
    excess ??= excessOf(event);
    if (excess !== undefined) started.abort();
  };

  const runner =
    options.runner ??
    new LambdaPool({
      environment: { AWS_REGION: machine.region, AWS_DEFAULT_REGION: machine.region, ...options.environment },
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
    });
  const definition = { ...machine.definition, StartAt: startAt };
  const library = new StateMachine(definition as never, { validationOptions: { noValidate: true } });
  const started = library.run(stateInput, {
    overrides: {
      taskResourceLocalHandlers: taskHandlers(machine, runner, onEvent, options),
      ...(options.retryIntervalMs === undefined
        ? {}
        : { retryIntervalOverrides: retryIntervals(machine, options.retryIntervalMs) }),
    },
    context: {
      Execution: { Id: arn, Name: name, RedriveCount: redriveCount },
      StateMachine: { Id: machine.arn, Name: machine.name },
    },
  });
  const abort = () => {
    started.abort();
  };
  options.signal?.addEventListener('abort', abort);
  if (options.signal?.aborted === true) abort();
  const events = (async () => {
    for await (const event of started.eventLogs) onEvent(event);
  })();
  try {
    const ended = await settle(started.result);
    await events;
    const outcome =
      excess === undefined ? ended : { status: 'FAILED' as const, error: DATA_LIMIT_EXCEEDED, cause: excess };
    const failedState =
      outcome.status === 'SUCCEEDED' || current === undefined ? {} : { failedState: current };
    return {
      arn,
      name,
      ...outcome,
      input,
      startDate,
      stopDate: new Date(),
      redriveCount,
      history,
      ...failedState,
    };
  } finally {
    options.signal?.removeEventListener('abort', abort);
    await runner.close();
  }
}

async function settle(
  result: Promise<unknown>,
): Promise<Pick<ExecutionResult, 'status' | 'output' | 'error' | 'cause'>> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) return { status: 'ABORTED' };
    if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT', error: 'States.Timeout' };
    if (!(error instanceof Error)) throw error;
    const failure = error.cause instanceof Error ? error.cause : error;
    return { status: 'FAILED', error: failure.name, cause: failure.message };
  }
}

function retryIntervals({ definition }: LocalStateMachine, milliseconds: number): Record<string, number> {
  return Object.fromEntries(
    allStates(definition.States).flatMap(([name, { Retry }]) =>
      Retry === undefined ? [] : [[name, milliseconds]],
    ),
  );
}
