import * as iam from 'aws-cdk-lib/aws-iam';

/** The passwords that *Prepare database* sets. */
export function readPasswords(resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'ReadPasswordsToSet',
    actions: ['secretsmanager:GetSecretValue'],
    resources,
  });
}

/** What the Lambda service needs to put a function into a VPC. These actions know no resources. */
export function networkInterfaceStatements(): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      sid: 'AttachToVpc',
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }),
  ];
}
