import { expect, test } from '@jest/globals';
import { synthesise, withAdministrator } from './synthesise.ts';

/** A template without a Region, as without `env` in the deployment file. */
const template = synthesise({ ...withAdministrator(), env: undefined }).toJSON() as {
  Rules: Record<string, { Assertions: { Assert: object; AssertDescription: string }[] }>;
  Resources: object;
};

// Seen to fail without the rule: in China the stack was made, and no function might use its keys.
test('CloudFormation refuses a Region whose services are in another domain than policies name', () => {
  const assertions = Object.values(template.Rules).flatMap((rule) => rule.Assertions);
  expect(assertions).toContainEqual({
    Assert: { 'Fn::Equals': [{ Ref: 'AWS::URLSuffix' }, 'amazonaws.com'] },
    AssertDescription: expect.stringMatching(/amazonaws\.com.*China.*another Region$/),
  });
  const services = [
    ...JSON.stringify(template.Resources).matchAll(/"kms:ViaService":(.*?\.(amazonaws\.com[\w.]*)")/g),
  ];
  expect(services.length).toBeGreaterThan(2);
  expect(new Set(services.map(([, , domain]) => domain))).toEqual(new Set(['amazonaws.com']));
});
