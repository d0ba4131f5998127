import { describe, expect, test } from '@jest/globals';
import { Stage, Validations, type Stack } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { exampleConfig, withAdministrator } from './example.ts';
import { stackOf } from './synthesis/apps.ts';

const EXAMPLE_NETWORK = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a', 'eu-central-1b'],
  privateSubnetIds: ['subnet-0a', 'subnet-0b'],
  privateSubnetRouteTableIds: ['rtb-0a', 'rtb-0b'],
};

/** What cdk-nag finds in the stack of a deployment file and nobody acknowledged: rule and construct. */
function findings(changes: object, change: (stack: Stack) => void = () => undefined): string[] {
  const stack = stackOf(changes);
  change(stack);
  // Some policies are only made while the app is synthesised.
  Stage.of(stack)?.synth();
  return new AwsSolutionsChecks(stack)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
    );
}

describe('AwsSolutions finds nothing that is not fixed or acknowledged', () => {
  test.each([
    ['the example', {}],
    [
      'an instance, without account and Region',
      {
        env: undefined,
        database: {
          kind: 'instance',
          identifier: 'legacy',
          endpoint: 'legacy.abcdefghijkl.eu-central-1.rds.amazonaws.com',
          name: 'shop',
          securityGroupIds: ['sg-0123456789abcdef0'],
        },
      },
    ],
    ['CloudTrail instead of access logs', { archive: { accessLogs: false, dataEvents: true } }],
    [
      'logins by IAM',
      {
        database: {
          ...(exampleConfig() as { database: object }).database,
          authentication: 'iam',
          resourceId: 'cluster-ABC',
        },
      },
    ],
    ['an administrator', withAdministrator()],
    ['VPC endpoints', { network: { ...EXAMPLE_NETWORK, createVpcEndpoints: true } }],
  ])('in a stack with %s', (_, changes) => {
    expect(findings(changes)).toEqual([]);
  });

  test('and would find something', () => {
    const found = findings({}, (stack) => new sqs.Queue(stack, 'Careless'));
    expect(found).toEqual([
      expect.stringMatching(/^AwsSolutions-SQS3 .*Careless/),
      expect.stringMatching(/^AwsSolutions-SQS4 .*Careless/),
    ]);
  });
});

test('every acknowledgement says why', () => {
  const stack = stackOf(withAdministrator());
  const reasons = stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.values(data as Record<string, string>));
  expect(reasons.length).toBeGreaterThan(10);
  for (const reason of reasons) expect(reason).toMatch(/^[A-Z].{20,}[.]$/s);
});
