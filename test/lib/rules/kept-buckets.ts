import { listOf, ofType, referenceOf, textOf, type CloudTemplate, type Rule } from './rule.ts';
import { statementsOf } from './service-access.ts';

/**
 * The policy of a bucket that outlives the stack outlives it as well, and names no role of the stack: without the policy
 * nothing keeps archives from being deleted, and a policy whose principals are gone can neither be edited nor put again.
 *
 * Sources: "IAM JSON policy elements: Principal", IAM User Guide (a role that is deleted becomes a unique id in the
 * policy, which is then invalid); "DeletionPolicy attribute", AWS CloudFormation User Guide.
 */
export const keptBuckets: Rule = {
  name: 'a bucket that is kept keeps its policy, which names no role of the stack',
  find: (template) =>
    ofType(template, 'AWS::S3::BucketPolicy').flatMap(([id, { Bucket, PolicyDocument }]) => {
      const bucket = template.Resources[referenceOf(Bucket) ?? ''];
      if (!isKept(bucket?.DeletionPolicy)) return [];
      const roles = statementsOf(PolicyDocument)
        .flatMap(({ Principal }) => listOf((Principal as { AWS?: unknown } | undefined)?.AWS))
        .filter((principal) => template.Resources[referenceOf(principal) ?? '']?.Type === 'AWS::IAM::Role');
      return [
        ...(isKept(template.Resources[id]?.DeletionPolicy) ? [] : [`${id} goes with the stack`]),
        ...roles.map((role) => `${id} names ${textOf(role)}`),
      ];
    }),
  breaks: withPrincipal({ AWS: [{ 'Fn::GetAtt': ['Role', 'Arn'] }] }),
  keeps: withPrincipal({ AWS: '*' }),
};

function isKept(policy: string | undefined): boolean {
  return policy === 'Retain' || policy === 'RetainExceptOnCreate';
}

function withPrincipal(Principal: object): CloudTemplate {
  return {
    Resources: {
      Bucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
      Role: { Type: 'AWS::IAM::Role' },
      Policy: {
        Type: 'AWS::S3::BucketPolicy',
        DeletionPolicy: 'Retain',
        Properties: {
          Bucket: { Ref: 'Bucket' },
          PolicyDocument: { Statement: [{ Effect: 'Deny', Principal, Action: 's3:PutBucketPolicy' }] },
        },
      },
    },
  };
}
