/** Steps share a function where their rights are the same, and nobody gets at a step that is not theirs by that. */
import { describe, expect, test } from '@jest/globals';
import { deploymentOf, FUNCTION_NAMES, stepsOf } from '../../../lib/functions/function-table.ts';
import { STEP_NAMES, STEPS, type Step } from '../../../lib/functions/steps.ts';
import { resources, synthesise, withAdministrator, withQuery, type Resource } from '../synthesise.ts';

/** All that decides what a function may do. */
const rightsOf = ({ login, bucketAccess, reads, readsProxyHealth, installs }: (typeof STEPS)[Step]) => ({
  login,
  bucketAccess,
  reads: reads === true,
  readsProxyHealth: readsProxyHealth === true,
  installs: installs === true,
});

test('every step is run by one function', () => {
  const all = FUNCTION_NAMES.flatMap((name) => stepsOf(name).map(([step]) => step));
  expect(all.sort()).toEqual([...STEP_NAMES].sort());
});

// Seen to fail with verify and reverify-segment in one function: reverify-segment would read at the reader.
test.each(FUNCTION_NAMES)('%s has the rights of each of its steps, and no others', (name) => {
  const before = stepsOf(name).map(([step]) => [step, rightsOf(STEPS[step])]);
  const after = stepsOf(name).map(([step]) => [step, rightsOf(deploymentOf(name))]);
  expect(after).toEqual(before);
});

// A merge of any two functions would give some step a right that it has not: fewer are not to be had.
test('there are as many functions as sets of rights, and two that are told apart by their name', () => {
  const sets = new Set(STEP_NAMES.map((step) => JSON.stringify(rightsOf(STEPS[step]))));
  const told = ['detection', 'export'] as const;
  expect(FUNCTION_NAMES.length).toBe(sets.size + told.length);
  const onRequest = ['stream', 'conversion', 'catalog', 'page'] as const;
  expect(sets.size - onRequest.length).toBe(17);
});

test('what an owner looks for is there under its name, and nothing else is with it', () => {
  const stepsByName = (name: (typeof FUNCTION_NAMES)[number]) => stepsOf(name).map(([step]) => step);
  expect(stepsByName('detection')).toEqual(['detect']);
  expect(stepsByName('export')).toEqual(['export']);
  expect(stepsByName('stream')).toEqual(['stream']);
  expect(stepsByName('verification')).toEqual(['verify']);
  expect(stepsByName('drop')).toEqual(['drop']);
  expect(stepsByName('commit')).toEqual(['commit']);
  // What records a failure runs where what it records does not.
  const recorded = [
    'maintenance',
    'detection',
    'export',
    'stream',
    'verification',
    'commit',
    'drop',
  ] as const;
  expect(recorded.flatMap(stepsByName)).not.toContain('record-failure');
});

describe('a workflow', () => {
  const { partitionSets } = withQuery();
  const template = synthesise({
    ...withAdministrator(),
    partitionSets: [...partitionSets, { schema: 'public', table: 'streamed', export: 'stream' }],
    glueDatabase: 'shop_archive',
  });
  const machines = resources(template, 'AWS::StepFunctions::StateMachine').flatMap(([, resource]) => {
    const name = (resource['Metadata'] as Record<string, string> | undefined)?.[
      'partition-archiver:workflow'
    ];
    return name === undefined ? [] : [[name, resource] as const];
  });
  /** The steps that a state machine has, by the text of its definition. */
  const stepsIn = ({ Properties }: Resource): string[] => [
    ...new Set(
      [...JSON.stringify(Properties).matchAll(/\\"step\\":\\"([\w-]+)\\"/g)].map(([, step = '']) => step),
    ),
  ];
  const used = new Map(machines.map(([name, resource]) => [name, stepsIn(resource)]));

  // Seen to fail with release and adopt under one alias: Release could ask for adopt.
  test.each(machines.map(([name]) => [name]))('%s cannot ask for a step that it has not', (name) => {
    const own = used.get(name) ?? [];
    expect(own.length).toBeGreaterThan(0);
    const reachable = FUNCTION_NAMES.flatMap((each) => {
      const steps = stepsOf(each);
      const aliases = new Set(steps.filter(([step]) => own.includes(step)).map(([, alias]) => alias));
      return steps.filter(([, alias]) => aliases.has(alias)).map(([step]) => step);
    });
    expect(reachable.sort()).toEqual([...own].sort());
  });
});
