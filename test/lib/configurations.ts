/** The deployments that every rule is looked for in. */
import { exampleConfig, withAdministrator } from './example.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/0f0e0d0c-1111-2222-3333-444455556666';

const { database } = exampleConfig() as { database: object };
const reader = { endpoint: 'orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com' };
const resourceId = 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const THREE_SUBNETS = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
  privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
  privateSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1', 'rtb-0123456789abcdef2'],
};

/** Leaves out all that may be left out. */
const MINIMAL = Object.fromEntries(
  Object.keys(exampleConfig()).map((setting) => [setting, undefined as unknown]),
);

const WHOLE = {
  network: { ...THREE_SUBNETS, createVpcEndpoints: true },
  archive: {
    tiers: { standardIaDays: 30, glacierInstantRetrievalDays: 90, glacierDeepArchiveDays: 365 },
    objectLock: { days: 365, mode: 'GOVERNANCE' },
    expiry: { days: 2555, deleteVersionsAfterDays: 2555 },
    dataEvents: true,
  },
  schedule: { timeZone: 'Europe/Berlin', audit: 'cron(0 6 10 * ? *)' },
};

/** A database with everything that is made on request. */
const MAXIMAL = {
  ...WHOLE,
  partitionSets: [
    { schema: 'public', table: 'orders', query: true },
    { schema: 'public', table: 'events', export: 'stream' },
  ],
  glueDatabase: 'orders_archive',
  database: {
    ...withAdministrator().database,
    resourceId,
    securityGroupIds: ['sg-0123456789abcdef0', 'sg-0123456789abcdef1'],
    verifyEndpoint: reader,
  },
};

/** Deployment files, as changes to the example. */
export const CONFIGURATIONS: Readonly<Record<string, object>> = {
  example: {},
  minimal: {
    ...MINIMAL,
    database,
    network: THREE_SUBNETS,
    partitionSets: [{ schema: 'public', table: 'orders' }],
  },
  maximal: MAXIMAL,
  IAM: {
    ...WHOLE,
    database: { ...database, authentication: 'iam', resourceId, verifyEndpoint: { ...reader, resourceId } },
  },
  'streamed only': {
    ...WHOLE,
    database: withAdministrator().database,
    partitionSets: [{ schema: 'public', table: 'orders', export: 'stream' }],
  },
  instance: {
    ...WHOLE,
    database: {
      kind: 'instance',
      identifier: 'legacy',
      endpoint: 'legacy.abcdefghijkl.eu-central-1.rds.amazonaws.com',
      name: 'shop',
      securityGroupIds: ['sg-0123456789abcdef0'],
      adminSecretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-0a1b2c3d-AbCdEf',
      // In the security group of the database, as the reader is.
      proxy: {
        endpoint: 'legacy.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com',
        securityGroupIds: ['sg-0123456789abcdef0'],
      },
      verifyEndpoint: { endpoint: 'legacy-replica.abcdefghijkl.eu-central-1.rds.amazonaws.com' },
      attachedS3Roles: {
        exportRoleArn: 'arn:aws:iam::111122223333:role/export',
        importRoleArn: 'arn:aws:iam::111122223333:role/import',
      },
    },
    archive: { bucket: { name: 'company-archive', keyArn: KEY }, dataEvents: true },
    alarms: { topicArn: 'arn:aws:sns:eu-central-1:111122223333:dba' },
  },
  'a second database of the VPC': {
    ...MAXIMAL,
    stackName: 'ArchiverOfBilling',
    database: {
      ...MAXIMAL.database,
      identifier: 'billing',
      endpoint: 'billing.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
      name: 'billing',
    },
    network: THREE_SUBNETS,
  },
};
