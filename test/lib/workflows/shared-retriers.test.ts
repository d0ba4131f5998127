/** Retriers stand once in the template, and CloudFormation puts them into each definition. */
import { expect, test } from '@jest/globals';
import { exampleConfig, withAdministrator, withoutMappings } from '../synthesise.ts';
import { ask } from '../synthesis/ask.ts';
import type { CloudTemplate } from '../rules/rule.ts';
import { workflowsOf } from '../rules/state-machines.ts';

const raw = ask({ what: 'template', file: exampleConfig(withAdministrator()) }) as {
  readonly Mappings: Readonly<Record<string, Readonly<Record<string, { readonly Retry: string }>>>>;
} & CloudTemplate;

/** How often a text stands in the definitions of a template, in each workflow. */
const countIn = (template: CloudTemplate, text: string): [string, number][] =>
  workflowsOf(template).map(([id, { DefinitionString }]) => [
    id,
    JSON.stringify(DefinitionString).split(text).length - 1,
  ]);
const tasks = countIn(raw, '\\"Type\\":\\"Task\\"');

// Seen to fail with the definition body of the CDK: each of the states has its own.
test('no state has its retriers in the template itself', () => {
  expect(countIn(raw, '\\"Retry\\":[')).toEqual(tasks.map(([id]) => [id, 0]));
  expect(countIn(raw, 'Fn::FindInMap')).toEqual(tasks);
  const { Retriers = {} } = raw.Mappings;
  // With a timeout that is final, with one that is tried again, and for the service's own call of Heartbeat.
  expect(Object.values(Retriers).map(({ Retry }) => Retry.length > 100)).toEqual([true, true, true]);
});

test('every task has retriers once CloudFormation has put them in', () => {
  const whole = withoutMappings({ ...raw }) as unknown as CloudTemplate;
  expect(countIn(whole, '\\"Retry\\":[{')).toEqual(tasks);
  expect(countIn(whole, 'Fn::FindInMap')).toEqual(tasks.map(([id]) => [id, 0]));
});

// 401,734 bytes with the retriers in each state, 249,000 with the rights to log and trace in the role of each workflow.
test('the template is small', () => {
  expect(Buffer.byteLength(JSON.stringify(raw))).toBeLessThan(248_000);
});
