/** Names of what CloudFormation made, in the account of the test. */

export const ACCOUNT_ID = '111122223333';
export const REGION = 'eu-central-1';
export const STACK = 'PartitionArchiver-Acceptance';

/** An ARN of that account. */
export const arn = (service: string, rest: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${rest}`;

/** Outputs of the surroundings. */
export const OUTPUTS = {
  VpcId: 'vpc-0a1b2c3d4e5f60718',
  ZoneA: 'eu-central-1a',
  ZoneB: 'eu-central-1b',
  SubnetIdA: 'subnet-0a1b2c3d4e5f60718',
  SubnetIdB: 'subnet-1a1b2c3d4e5f60718',
  RouteTableIdA: 'rtb-0a1b2c3d4e5f60718',
  RouteTableIdB: 'rtb-1a1b2c3d4e5f60718',
  DatabaseGroupId: 'sg-0a1b2c3d4e5f60718',
  ClusterIdentifier: 'partitionarchiver-acceptance-surroundings-cluster-abc',
  ClusterArn: arn('rds', 'cluster:partitionarchiver-acceptance-surroundings-cluster-abc'),
  Endpoint:
    'partitionarchiver-acceptance-surroundings-cluster-abc.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
  AdminSecretArn: arn('secretsmanager', 'secret:rds!cluster-0f0e0d0c-aB3dEf'),
  QueueUrl: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT_ID}/heard`,
  QueueArn: arn('sqs', 'heard'),
  ResultsBucket: 'partitionarchiver-acceptance-results',
};

/** Type, logical and physical id of resources of the archiver. */
export const RESOURCES = [
  ['AWS::RDS::DBProxy', 'ArchiverDatabaseProxy2928335A', 'partitionarchiver-acceptance-proxy'],
  ['AWS::SNS::Topic', 'ArchiverAlarmsTopic53ADE1F1', arn('sns', `${STACK}-Topic`)],
  ['AWS::CloudWatch::Alarm', 'ArchiverAlarmsPartitionsBlocked1A2B', `${STACK}-PartitionsBlocked`],
  ['AWS::CloudWatch::Alarm', 'ArchiverAlarmsNoRun1A2B', `${STACK}-NoRun`],
  [
    'AWS::Lambda::Alias',
    'ArchiverFunctionsMaintenanceForArchive1',
    arn('lambda', 'function:Maintenance:archive'),
  ],
  ['AWS::Lambda::Function', 'ArchiverFunctionsMaintenance1', 'Maintenance'],
  ['AWS::S3::Bucket', 'ArchiverArchiveBucketD14DF004', 'partitionarchiver-acceptance-archive'],
  ['AWS::KMS::Key', 'ArchiverArchiveKey25F21F9E', '0f0e0d0c-0b0a-0908-0706-050403020100'],
] as const;
