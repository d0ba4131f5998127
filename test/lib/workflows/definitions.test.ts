/** Every state machine of a deployment, as an operator finds it in the console. */
import { describe, expect, test } from '@jest/globals';
import { FINAL_CODES, RETRYABLE_CODES } from '../../../core/errors.ts';
import { allStates, type StateMachineDefinition } from '../../../local/step-functions/definition.ts';
import {
  resources,
  roleStatements,
  synthesise,
  withAdministrator,
  withQuery,
  type Resource,
} from '../synthesise.ts';
import { LONGEST } from '../../../lib/functions/step-function.ts';
import { WORKFLOWS } from './names.ts';

/** A definition is a text with references in it. */
function definitionOf({ Properties }: Resource): StateMachineDefinition {
  const [separator, parts] = (Properties['DefinitionString'] as { 'Fn::Join': [string, unknown[]] })[
    'Fn::Join'
  ];
  const text = parts.map((part) => (typeof part === 'string' ? part : 'reference')).join(separator);
  return JSON.parse(text) as StateMachineDefinition;
}

const machines = resources(
  synthesise({ ...withAdministrator(), ...withQuery(), glueDatabase: 'shop_archive' }),
  'AWS::StepFunctions::StateMachine',
).flatMap(([, resource]) => {
  const name = (resource['Metadata'] as Record<string, string> | undefined)?.['partition-archiver:workflow'];
  // That of the CDK's own framework has none.
  return name === undefined ? [] : [[name, definitionOf(resource), resource.Properties] as const];
});

test('there are as many as operators know', () => {
  expect(machines.map(([name]) => name).sort()).toEqual([...WORKFLOWS].sort());
});

test('PrepareDatabase looks at the executions of all others, and may list just these', () => {
  const stack = synthesise({ ...withAdministrator(), ...withQuery(), glueDatabase: 'shop_archive' });
  const all = resources(stack, 'AWS::StepFunctions::StateMachine').filter(
    ([, resource]) => (resource['Metadata'] as object | undefined) !== undefined,
  );
  const ofWorkflows = all.filter(([, { Properties }]) => 'StateMachineName' in Properties).map(([id]) => id);
  const others = ofWorkflows.filter((id) => !id.includes('PrepareDatabase')).sort();
  const [, prepare] = all.find(([id]) => id.includes('PrepareDatabase'))!;
  const named = [...JSON.stringify(prepare.Properties).matchAll(/"Ref":"(\w+)"/g)].map(([, id]) => id);
  expect(named.filter((id) => id !== 'AWS::Partition').sort()).toEqual(others);
  const allowed = roleStatements(stack).filter(({ statement }) =>
    [statement.Action].flat().includes('states:ListExecutions'),
  );
  expect(allowed.map(({ role }) => role)).toEqual([expect.stringContaining('PrepareDatabase')]);
  const listed = [allowed[0]!.statement.Resource].flat() as { Ref: string }[];
  expect(listed.map(({ Ref }) => Ref).sort()).toEqual(others);
});

describe.each(machines)('%s', (_, definition, properties) => {
  const states = allStates(definition.States);
  const tasks = states.filter(
    ([, { Type, Resource }]) => Type === 'Task' && Resource?.endsWith(':lambda:invoke'),
  );

  test('says what it does and what its input is, and of each state what it is for', () => {
    expect(definition.Comment).toMatch(/^[A-Z].*\{.*\}/s);
    expect(
      states.filter(([, state]) => !/^[A-Z].+/.test(String((state as { Comment?: string }).Comment))),
    ).toEqual([]);
  });

  // Seen to fail for six steps, in whose log lines no execution was named.
  test('tells each function the execution, which its log lines name', () => {
    const payloads = tasks.map(([id, state]) => [id, JSON.stringify(state)] as const);
    expect(payloads.filter(([, text]) => !/"(execution|request)\.\$"/.test(text))).toEqual([]);
  });

  test('retries what the catalogue calls retryable, and nothing else of it', () => {
    expect(tasks).not.toEqual([]);
    for (const [name, { Retry = [] }] of tasks) {
      const [final, ...retriers] = Retry.map(({ ErrorEquals }) => ErrorEquals);
      const codes = (errors: readonly string[] = []) => errors.filter((error) => !error.includes('.')).sort();
      expect([name, codes(final)]).toEqual([name, [...FINAL_CODES].sort()]);
      expect([name, codes(retriers.flat())]).toEqual([name, [...RETRYABLE_CODES].sort()]);
      expect(Retry[0]).toMatchObject({ MaxAttempts: 0 });
    }
  });

  // Seen to fail without BUSY_RETRIER in step-task.ts.
  test('waits for what a function that died left to the server, which runs for a quarter of an hour', () => {
    const seconds = { IntervalSeconds: 60, MaxAttempts: 16 };
    expect(seconds.IntervalSeconds * seconds.MaxAttempts).toBeGreaterThan(LONGEST.toSeconds());
    for (const [, { Retry = [] }] of tasks) {
      expect(Retry.find(({ ErrorEquals }) => ErrorEquals.includes('SegmentBusy'))).toEqual({
        ErrorEquals: ['SegmentBusy'],
        ...seconds,
        BackoffRate: 1,
        JitterStrategy: 'NONE',
      });
    }
  });

  test('is logged where log groups do not fill the policy of the account, and traced', () => {
    expect(properties).toMatchObject({
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: true },
      TracingConfiguration: { Enabled: true },
    });
  });
});

test('their log group has a name that no policy of the account has to list', () => {
  const groups = resources(
    synthesise({ ...withAdministrator(), ...withQuery(), glueDatabase: 'shop_archive' }),
    'AWS::Logs::LogGroup',
  ).flatMap(([id, { Properties }]) =>
    /^Archiver(Functions|Changes|DatabaseS3)/.test(id) ? [] : [Properties['LogGroupName']],
  );
  expect(groups).toEqual([
    expect.stringMatching(/^\/aws\/vendedlogs\/states\/PartitionArchiver-[\w-]{3,80}$/),
  ]);
});
