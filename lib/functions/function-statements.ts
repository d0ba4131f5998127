import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';

/** The passwords that *Prepare database* sets. */
export function readPasswords(resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'ReadPasswordsToSet',
    actions: ['secretsmanager:GetSecretValue'],
    resources,
  });
}

const NETWORK_INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * What the Lambda service needs to put functions into a VPC, for the roles of all of them. The actions have no resources, and
 * Lambda requires them in the execution role, which the code of the function has as well. Calls by that code are denied
 * ("Required IAM permissions" in the Lambda Developer Guide).
 */
export function networkInterfacePolicy(scope: Construct): iam.ManagedPolicy {
  const functions = Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const policy = new iam.ManagedPolicy(scope, 'NetworkInterfaces', {
    description: 'Partition archiver, network interfaces of functions',
    statements: [
      new iam.PolicyStatement({ sid: 'AttachToVpc', actions: NETWORK_INTERFACE_ACTIONS, resources: ['*'] }),
      new iam.PolicyStatement({
        sid: 'NotByTheCode',
        effect: iam.Effect.DENY,
        actions: NETWORK_INTERFACE_ACTIONS,
        resources: ['*'],
        conditions: { ArnLike: { 'lambda:SourceFunctionArn': functions } },
      }),
    ],
  });
  acknowledgeWildcards(policy, 'Network interfaces know no resources.', ['*']);
  return policy;
}

/** What *Convert* may do with its Glue database: nothing is deleted but partitions. Each call is also checked for the catalogue. */
export function glueStatements(scope: Construct, database: string | undefined): iam.PolicyStatement[] {
  if (database === undefined) return [];
  const arn = (resource: string): string => Stack.of(scope).formatArn({ service: 'glue', resource });
  return [
    new iam.PolicyStatement({
      sid: 'ListArchivesInGlue',
      actions: [
        'glue:GetDatabase',
        'glue:CreateDatabase',
        'glue:GetTable',
        'glue:GetTables',
        'glue:CreateTable',
        'glue:UpdateTable',
        'glue:GetPartitions',
        'glue:BatchGetPartition',
        'glue:BatchCreatePartition',
        'glue:BatchDeletePartition',
      ],
      resources: [arn('catalog'), arn(`database/${database}`), arn(`table/${database}/*`)],
    }),
  ];
}
