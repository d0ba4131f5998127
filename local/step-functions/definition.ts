/** The part of the Amazon States Language that the local runner looks at. */
export interface StateMachineDefinition {
  readonly StartAt: string;
  readonly States: States;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
}

export type States = Readonly<Record<string, State>>;

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly TimeoutSeconds?: number;
  readonly ResultPath?: string | null;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[] }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Choices?: readonly object[];
  readonly ToleratedFailurePercentage?: number;
  readonly ItemProcessor?: {
    readonly StartAt: string;
    readonly States: States;
    readonly ProcessorConfig?: { readonly Mode?: string; readonly ExecutionType?: string };
  };
}

/** Every state by name, those inside Maps too. Names are unique in a whole definition. */
export function allStates(states: States): [string, State][] {
  return Object.entries(states).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.ItemProcessor === undefined ? [] : allStates(state.ItemProcessor.States)),
  ]);
}

/** The calls of AWS APIs that workflows have, and that are played here: of state machines. */
export const DESCRIBE_STATE_MACHINE = 'arn:aws:states:::aws-sdk:sfn:describeStateMachine';
export const LIST_EXECUTIONS = 'arn:aws:states:::aws-sdk:sfn:listExecutions';
