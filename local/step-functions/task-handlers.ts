import { setImmediate } from 'node:timers/promises';
import type { StateMachine } from 'aws-local-stepfunctions';
import { allStates, DESCRIBE_STATE_MACHINE, LIST_EXECUTIONS } from './definition.ts';
import type { ExecutionOptions, FunctionEvent, Json } from './execution.ts';
import type { FunctionRunner } from './lambda-pool.ts';
import type { LocalStateMachine } from './load-state-machine.ts';

type Overrides = NonNullable<NonNullable<Parameters<StateMachine['run']>[1]>['overrides']>;
type Handlers = NonNullable<Overrides['taskResourceLocalHandlers']>;

/** The library finds a Task's handler by the name of its state, also in Maps. */
export function taskHandlers(
  { definition, functions, creationDate }: LocalStateMachine,
  runner: FunctionRunner,
  onEvent: (event: FunctionEvent) => void,
  { onInvoke, running = [] }: ExecutionOptions,
): Handlers {
  const run = async (state: string, arn: string, payload: unknown): Promise<unknown> => {
    const target = functions.get(arn);
    if (target === undefined) throw new Error(`state ${state} runs ${arn}, which the template does not have`);
    // The library's own events come one turn late; without this, a function would start before its state.
    await setImmediate();
    const started = performance.now();
    const common = { state, payload, requestId: '' };
    const now = () => ({ timestamp: Date.now(), durationMs: Math.round(performance.now() - started) });
    try {
      const { result, memoryMiB } = await runner.invoke(target, payload, (invocation) => {
        common.requestId = invocation.requestId;
        onEvent({ ...common, type: 'LambdaFunctionStarted', timestamp: Date.now() });
        onInvoke?.({ ...invocation, state });
      });
      onEvent({ ...common, type: 'LambdaFunctionSucceeded', output: result, memoryMiB, ...now() });
      return result;
    } catch (error) {
      const { name, message } = error as Error;
      const type = name === 'Sandbox.Timedout' ? 'LambdaFunctionTimedOut' : 'LambdaFunctionFailed';
      onEvent({ ...common, type, error: name, cause: message, ...now() });
      throw error;
    }
  };
  const described = { CreationDate: creationDate.toISOString() };
  const handlers: Handlers = {};
  for (const [name, { Type, Resource = '' }] of allStates(definition.States)) {
    if (Type !== 'Task') continue;
    if (Resource === DESCRIBE_STATE_MACHINE) {
      handlers[name] = () => Promise.resolve(described);
      continue;
    }
    if (Resource === LIST_EXECUTIONS) {
      handlers[name] = (input) => {
        const { StateMachineArn: machine } = input as { StateMachineArn: string };
        const executions = `${machine.replace(':stateMachine:', ':execution:')}:`;
        const Executions = running.filter((arn) => arn.startsWith(executions));
        return Promise.resolve({ Executions: Executions.map((ExecutionArn) => ({ ExecutionArn })) });
      };
      continue;
    }
    handlers[name] = async (input) => {
      if (Resource !== 'arn:aws:states:::lambda:invoke') return (await run(name, Resource, input)) as Json;
      const { FunctionName, Payload } = input as { FunctionName: string; Payload: unknown };
      return {
        ExecutedVersion: '$LATEST',
        StatusCode: 200,
        Payload: await run(name, FunctionName, Payload),
      } as Json;
    };
  }
  return handlers;
}
