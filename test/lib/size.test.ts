/** How many parts a deployment has: each costs time to deploy, addresses of subnets, and quotas that databases share. */
import { describe, expect, test } from '@jest/globals';
import { FUNCTION_NAMES } from '../../lib/functions/function-table.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { resources, synthesise } from './synthesise.ts';

// With a security group and a function for each step: 43 groups, 123 network interfaces, 374 resources.
describe.each(Object.entries(CONFIGURATIONS))('%s', (_, changes) => {
  const template = synthesise(changes);
  const functions = resources(template, 'AWS::Lambda::Function').filter(([id]) =>
    id.startsWith('ArchiverFunctions'),
  );

  test('has a function, and a role, for each set of rights', () => {
    const roles = resources(template, 'AWS::IAM::Role').filter(([id]) => id.startsWith('ArchiverFunctions'));
    expect(functions.length).toBeLessThanOrEqual(FUNCTION_NAMES.length);
    expect(FUNCTION_NAMES.length).toBeLessThanOrEqual(23);
    expect(roles).toHaveLength(functions.length);
  });

  test('has five security groups at most, three of them of functions, and three network interfaces a subnet', () => {
    const groups = resources(template, 'AWS::EC2::SecurityGroup').map(([id]) => id);
    expect(groups.length).toBeLessThanOrEqual(5);
    expect(groups.filter((id) => id.includes('Functions')).length).toBeLessThanOrEqual(3);
    const inUse = functions.flatMap(([, { Properties }]) => {
      const { SecurityGroupIds } = (Properties['VpcConfig'] ?? {}) as { SecurityGroupIds?: unknown };
      return SecurityGroupIds === undefined ? [] : [JSON.stringify(SecurityGroupIds)];
    });
    expect(new Set(inUse).size).toBeLessThanOrEqual(3);
  });

  test('has not many resources', () => {
    const all = Object.keys((template.toJSON() as { Resources: object }).Resources);
    const ofQueries = all.filter((id) => OF_QUERIES.test(id));
    expect(all.length - ofQueries.length).toBeLessThanOrEqual(MOST_RESOURCES);
    expect(ofQueries.length).toBeLessThanOrEqual(MOST_OF_QUERIES);
    expect(ofQueries.filter((id) => id.includes('SecurityGroup'))).toEqual([]);
    expect(functions.filter(([id]) => OF_QUERIES.test(id)).length).toBeLessThanOrEqual(4);
  });
});

const MOST_RESOURCES = 200;
/** More, by which the archive is asked and looked at. */
const MOST_OF_QUERIES = 40;
const OF_QUERIES = /Convert|Conversion|Catalog|FunctionsPage|ForConvert/;
