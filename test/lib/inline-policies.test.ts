import { expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { inlinePolicies } from '../../lib/inline-policies.ts';
import { makeApp } from './synthesis/apps.ts';
import { roleStatements } from './synthesise.ts';

// Seen to fail with the document resolved at once: what was allowed afterwards was in no policy at all.
test('what is allowed to a role afterwards is in it, too', () => {
  const stack = new Stack(makeApp(), 'Rights');
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  const allow = (action: string) =>
    role.addToPolicy(new iam.PolicyStatement({ actions: [action], resources: ['arn:aws:s3:::archive'] }));
  allow('s3:ListBucket');
  inlinePolicies(stack);
  allow('s3:GetBucketVersioning');
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::IAM::Policy', 0);
  expect(roleStatements(template).flatMap(({ statement }) => statement.Action)).toEqual([
    's3:ListBucket',
    's3:GetBucketVersioning',
  ]);
});
