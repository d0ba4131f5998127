import { ofType, textOf, type CloudTemplate } from './rule.ts';

/** A state, as far as rules look at it. */
export interface AnyState {
  readonly Type: string;
  readonly Resource?: string;
  readonly Retry?: readonly Retrier[];
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, AnyState>> };
}

/** One entry of `Retry`. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly JitterStrategy?: string;
}

/** Key of the metadata that marks a workflow of ours beside the state machines that the CDK makes for itself. */
const WORKFLOW_METADATA = 'partition-archiver:workflow';

/** The workflows of a template, by logical id. */
export function workflowsOf(template: CloudTemplate): [string, Readonly<Record<string, unknown>>][] {
  return ofType(template, 'AWS::StepFunctions::StateMachine').filter(
    ([id]) => template.Resources[id]?.Metadata?.[WORKFLOW_METADATA] !== undefined,
  );
}

/** All states of a definition with references in it, those in Maps too. */
export function statesOf({ DefinitionString }: Readonly<Record<string, unknown>>): [string, AnyState][] {
  const { States } = JSON.parse(textOf(DefinitionString)) as { States: Readonly<Record<string, AnyState>> };
  return flatten(States);
}

function flatten(states: Readonly<Record<string, AnyState>>): [string, AnyState][] {
  return Object.entries(states).flatMap(([name, state]): [string, AnyState][] => [
    [name, state],
    ...flatten(state.ItemProcessor?.States ?? {}),
  ]);
}
