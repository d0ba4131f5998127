import {
  DESCRIBE_STATE_MACHINE,
  LIST_EXECUTIONS,
  type State,
  type StateMachineDefinition,
  type States,
} from './definition.ts';

/** Fields that the local runner treats as Step Functions does. */
const ANY_STATE = ['Type', 'Comment', 'InputPath', 'OutputPath'];
const NEXT = ['Next', 'End'];
const RESULT = ['Parameters', 'ResultSelector', 'ResultPath'];
const FAULTS = ['Retry', 'Catch'];
const ALLOWED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Task: [...ANY_STATE, ...NEXT, ...RESULT, ...FAULTS, 'Resource', 'TimeoutSeconds'],
  Map: [
    ...ANY_STATE,
    ...NEXT,
    'ResultSelector',
    'ResultPath',
    ...FAULTS,
    'ItemsPath',
    'ItemSelector',
    'ItemProcessor',
    'MaxConcurrency',
    'Label',
    'ToleratedFailurePercentage',
  ],
  Choice: [...ANY_STATE, 'Choices', 'Default'],
  Pass: [...ANY_STATE, ...NEXT, 'Result', 'Parameters', 'ResultPath'],
  Wait: [...ANY_STATE, ...NEXT, 'Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'],
  Succeed: ANY_STATE,
  Fail: ['Type', 'Comment', 'Error', 'Cause'],
};

/** Calls of AWS that task-handlers.ts plays. */
const PLAYED = [DESCRIBE_STATE_MACHINE, LIST_EXECUTIONS];

const MACHINE_FIELDS = ['Comment', 'StartAt', 'States', 'TimeoutSeconds', 'Version'];
const PROCESSOR_FIELDS = ['StartAt', 'States', 'ProcessorConfig', 'Comment'];
const RETRIER_FIELDS = [
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
  'Comment',
];
const CATCHER_FIELDS = ['ErrorEquals', 'Next', 'ResultPath', 'Comment'];
const CHOICE_FIELDS = [
  'Variable',
  'StringEquals',
  'BooleanEquals',
  'NumericEquals',
  'IsPresent',
  'Next',
  'Comment',
];

/** Timers of Node.js end at once beyond this. */
const LONGEST_TIMEOUT_SECONDS = 2_147_483;

/** What the context object has here, and which part of it means the same in a child execution. */
const CONTEXT_PATHS = [
  'Execution.Id',
  'Execution.Name',
  'Execution.Input',
  'Execution.StartTime',
  'Execution.RedriveCount',
  'StateMachine.Id',
];
const ITEM_PATHS = ['Map.Item.Value', 'Map.Item.Index'];

const REASONS: Readonly<Record<string, string>> = {
  QueryLanguage: 'the library ignores JSONata and would pass the input through',
  Assign: 'the library has no variables',
  ItemReader: 'the library has no ItemReader',
  ItemBatcher: 'the library would ignore it and run single items',
  ToleratedFailureCount: 'the library fails a Map with its first failed iteration',
};

/**
 * Lets through only what the local runner runs as Step Functions does, and throws with everything else that it
 * found. DISTRIBUTED Maps run as inline ones, in this process: the difference (a history, an id and a redrive of
 * each child) cannot be seen from inside, as long as paths into `$$.Execution` stay out of them.
 */
export function assertFaithful(definition: StateMachineDefinition): void {
  const refusals = [
    ...unknownFields('the state machine', definition, MACHINE_FIELDS),
    ...checkTimeout('the state machine', definition.TimeoutSeconds),
    ...checkStates(definition.States, false),
  ];
  if (refusals.length > 0) {
    throw new Error(
      `the local runner cannot run this state machine faithfully:\n${refusals.map((line) => `  ${line}`).join('\n')}`,
    );
  }
}

function checkStates(states: States, insideMap: boolean): string[] {
  return Object.entries(states).flatMap(([name, state]) => {
    const allowed = ALLOWED_FIELDS[state.Type];
    if (allowed === undefined) return [`${name}: a state of type ${state.Type} is not supported`];
    return [
      ...unknownFields(name, state, allowed),
      ...(state.Retry ?? []).flatMap((retrier) => unknownFields(`${name}, Retry`, retrier, RETRIER_FIELDS)),
      ...(state.Catch ?? []).flatMap((catcher) => unknownFields(`${name}, Catch`, catcher, CATCHER_FIELDS)),
      ...(state.Choices ?? []).flatMap((choice) => unknownFields(`${name}, Choices`, choice, CHOICE_FIELDS)),
      ...checkValues(name, state),
      ...checkContext(name, state, insideMap),
      ...checkProcessor(name, state),
    ];
  });
}

function unknownFields(where: string, object: object, allowed: readonly string[]): string[] {
  return Object.keys(object)
    .filter((field) => !allowed.includes(field))
    .map((field) => `${where}: ${field} is not supported${because(REASONS[field])}`);
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

/** Fields that are supported, but not with every value. */
function checkValues(name: string, state: State): string[] {
  const refusals = checkTimeout(name, state.TimeoutSeconds);
  if (state.ResultPath === '$') refusals.push(`${name}: ResultPath "$" is not supported; leave it out`);
  if (state.Type === 'Task') {
    if (!isLambda(state.Resource) && !PLAYED.includes(state.Resource ?? '')) {
      refusals.push(
        `${name}: Resource ${String(state.Resource)} is not supported; only Lambda functions are`,
      );
    }
    if (state.TimeoutSeconds === undefined) {
      refusals.push(`${name}: TimeoutSeconds is missing (the library would stop the task after 60 seconds)`);
    }
  }
  const tolerated = state.ToleratedFailurePercentage;
  // All or nothing. The library fails a Map at once, so that a run here is stricter than one on AWS, never laxer.
  if (tolerated !== undefined && tolerated !== 100) {
    refusals.push(`${name}: ToleratedFailurePercentage ${tolerated} is not supported; only 100 is`);
  }
  return refusals;
}

function checkTimeout(where: string, seconds: number | undefined): string[] {
  return (seconds ?? 0) > LONGEST_TIMEOUT_SECONDS
    ? [`${where}: TimeoutSeconds ${String(seconds)} is not supported; at most ${LONGEST_TIMEOUT_SECONDS} is`]
    : [];
}

function isLambda(resource: string | undefined): boolean {
  return resource === 'arn:aws:states:::lambda:invoke' || resource?.startsWith('arn:aws:lambda:') === true;
}

/** Paths into the context object that the runner does not fill in, or that mean something else in a child. */
function checkContext(name: string, state: State, insideMap: boolean): string[] {
  const { ItemProcessor: _, ...own } = state;
  const found = JSON.stringify(own).matchAll(/\$\$\.([\w.]+)/g);
  return [...found].flatMap(([, path = '']) => {
    if (state.Type === 'Map' && ITEM_PATHS.includes(path)) return [];
    if (!CONTEXT_PATHS.includes(path)) return [`${name}: $$.${path} is not supported`];
    return insideMap
      ? [`${name}: $$.${path} is not supported in a Map (in a child execution it is the child's own)`]
      : [];
  });
}

function checkProcessor(name: string, { ItemProcessor: processor }: State): string[] {
  if (processor === undefined) return [];
  return [
    ...unknownFields(`${name}, ItemProcessor`, processor, PROCESSOR_FIELDS),
    ...unknownFields(`${name}, ProcessorConfig`, processor.ProcessorConfig ?? {}, ['Mode', 'ExecutionType']),
    ...(processor.ProcessorConfig?.ExecutionType === 'EXPRESS'
      ? [`${name}: express child executions are not supported`]
      : []),
    ...checkStates(processor.States, true),
  ];
}
