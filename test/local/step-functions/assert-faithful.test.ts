import { describe, expect, test } from '@jest/globals';
import type { StateMachineDefinition } from '../../../local/step-functions/definition.ts';
import { assertFaithful } from '../../../local/step-functions/assert-faithful.ts';
import { assertValid } from '../../../local/step-functions/load-state-machine.ts';
import { task } from './tiny-machine.ts';

function machine(state: object, fields: object = {}): StateMachineDefinition {
  return {
    StartAt: 'S',
    States: { S: { End: true, ...state } },
    ...fields,
  } as unknown as StateMachineDefinition;
}

function map(fields: object, work: object = task({ End: true })): object {
  return { Type: 'Map', ItemProcessor: { StartAt: 'Work', States: { Work: work } }, ...fields };
}

describe('lets through', () => {
  test.each([
    ['a Task', task({ Parameters: { 'id.$': '$$.Execution.Id' }, ResultPath: '$.result' })],
    ['a Map', map({ ItemSelector: { 'item.$': '$$.Map.Item.Value' }, MaxConcurrency: 2 })],
    [
      'a distributed Map',
      map({
        ToleratedFailurePercentage: 100,
        Label: 'Each',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Work',
          States: { Work: task({ End: true }) },
        },
      }),
    ],
    ['a result that is thrown away', task({ ResultPath: null })],
  ])('%s', (_, state) => {
    expect(() => {
      assertFaithful(machine(state));
    }).not.toThrow();
  });
});

describe('refuses', () => {
  test.each([
    ['JSONata in a state', task({ QueryLanguage: 'JSONata' }), /S: QueryLanguage .*JSONata/],
    ['JSONata arguments', task({ Arguments: { a: '{% 1 %}' } }), /S: Arguments/],
    ['variables', task({ Assign: { a: 1 } }), /S: Assign .*variables/],
    ['an ItemReader', map({ ItemReader: {} }), /S: ItemReader/],
    ['an ItemBatcher', map({ ItemBatcher: {} }), /S: ItemBatcher .*ignore/],
    ['a ResultWriter', map({ ResultWriter: {} }), /S: ResultWriter/],
    ['some failures that are tolerated', map({ ToleratedFailurePercentage: 50 }), /50 is not supported/],
    ['a number of failures that is tolerated', map({ ToleratedFailureCount: 1 }), /S: ToleratedFailureCount/],
    [
      'a task token',
      task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }),
      /waitForTaskToken is not supported/,
    ],
    ['another service', task({ Resource: 'arn:aws:states:::sns:publish' }), /only Lambda functions are/],
    ['a heartbeat', task({ HeartbeatSeconds: 5 }), /S: HeartbeatSeconds/],
    [
      'a Task that would be stopped after a minute',
      task({ TimeoutSeconds: undefined }),
      /TimeoutSeconds is missing/,
    ],
    ['a time longer than timers can be', task({ TimeoutSeconds: 2_147_484 }), /TimeoutSeconds 2147484/],
    ['ResultPath $, which the library takes for a name', task({ ResultPath: '$' }), /ResultPath "\$"/],
    [
      'a part of the context that it has not',
      task({ Parameters: { 'a.$': '$$.State.Name' } }),
      /\$\$\.State\.Name/,
    ],
    [
      "the parent's execution inside a Map",
      map({}, task({ Parameters: { 'a.$': '$$.Execution.Id' }, End: true })),
      /Work: \$\$\.Execution\.Id is not supported in a Map/,
    ],
    ['a state of a kind that it does not know', { Type: 'Parallel', Branches: [] }, /type Parallel/],
    [
      'other comparisons',
      { Type: 'Choice', Choices: [{ Variable: '$.a', StringMatches: '*' }] },
      /StringMatches/,
    ],
    [
      'fields of a retrier that it would ignore',
      task({ Retry: [{ ErrorEquals: ['A'], Assign: {} }] }),
      /S, Retry: Assign/,
    ],
  ])('%s', (_, state, message) => {
    expect(() => {
      assertFaithful(machine(state));
    }).toThrow(message);
  });

  test('JSONata for the whole machine', () => {
    expect(() => {
      assertFaithful(machine({ Type: 'Pass' }, { QueryLanguage: 'JSONata' }));
    }).toThrow(/the state machine: QueryLanguage/);
  });

  test('everything at once', () => {
    expect(() => {
      assertFaithful(machine(task({ Assign: {}, HeartbeatSeconds: 1 })));
    }).toThrow(/Assign[^]*HeartbeatSeconds|HeartbeatSeconds[^]*Assign/);
  });
});

test('a definition that Step Functions would refuse is not valid', () => {
  expect(() => {
    assertValid(machine(task({ End: undefined, Next: 'Nowhere' })));
  }).toThrow(/not valid[^]*Nowhere/);
});
