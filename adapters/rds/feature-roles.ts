import {
  AddRoleToDBClusterCommand,
  AddRoleToDBInstanceCommand,
  type DBClusterRole,
  type DBInstanceRole,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
  RDSServiceException,
  RemoveRoleFromDBClusterCommand,
  RemoveRoleFromDBInstanceCommand,
} from '@aws-sdk/client-rds';
import type { DatabaseState, FeatureRoleDatabase } from '../../core/setup/feature-role.ts';

/** RDS is busy with the database, or another caller was quicker: the next look decides. */
const BUSY =
  /^(InvalidDB(Cluster|Instance)StateFault|DB(Cluster|Instance)Role(AlreadyExists|NotFound)Fault)$/;
/**
 * IAM does not know the new role everywhere yet. RDS says the same of other parameters, such as a feature that the engine lacks,
 * by this code and another message, and that does not pass (`errIAMRolePropagationMessage` of hashicorp/terraform-provider-aws).
 */
const INVALID = /^InvalidParameterValue(Exception)?$/;
const ROLE_NOT_KNOWN = 'IAM role ARN value is invalid or does not include the required permissions';
const MISSING = /^DB(Cluster|Instance)NotFoundFault$/;

/** The roles of one Aurora cluster or RDS instance. */
export function featureRoles(
  client: Pick<RDSClient, 'send'>,
  kind: 'cluster' | 'instance',
  identifier: string,
): FeatureRoleDatabase {
  return kind === 'cluster' ? ofCluster(client, identifier) : ofInstance(client, identifier);
}

function ofCluster(client: Pick<RDSClient, 'send'>, DBClusterIdentifier: string): FeatureRoleDatabase {
  return {
    describe: () =>
      orMissing(async () => {
        const { DBClusters = [] } = await client.send(new DescribeDBClustersCommand({ DBClusterIdentifier }));
        return toState(DBClusters[0]?.Status, DBClusters[0]?.AssociatedRoles);
      }),
    attach: (FeatureName, RoleArn) =>
      orBusy(client.send(new AddRoleToDBClusterCommand({ DBClusterIdentifier, FeatureName, RoleArn }))),
    detach: (FeatureName, RoleArn) =>
      orBusy(client.send(new RemoveRoleFromDBClusterCommand({ DBClusterIdentifier, FeatureName, RoleArn }))),
  };
}

function ofInstance(client: Pick<RDSClient, 'send'>, DBInstanceIdentifier: string): FeatureRoleDatabase {
  return {
    describe: () =>
      orMissing(async () => {
        const { DBInstances = [] } = await client.send(
          new DescribeDBInstancesCommand({ DBInstanceIdentifier }),
        );
        return toState(DBInstances[0]?.DBInstanceStatus, DBInstances[0]?.AssociatedRoles);
      }),
    attach: (FeatureName, RoleArn) =>
      orBusy(client.send(new AddRoleToDBInstanceCommand({ DBInstanceIdentifier, FeatureName, RoleArn }))),
    detach: (FeatureName, RoleArn) =>
      orBusy(
        client.send(new RemoveRoleFromDBInstanceCommand({ DBInstanceIdentifier, FeatureName, RoleArn })),
      ),
  };
}

function toState(
  status: string | undefined,
  roles: readonly (DBClusterRole | DBInstanceRole)[] = [],
): DatabaseState | 'missing' {
  if (status === undefined) return 'missing';
  return {
    status,
    roles: roles.map(({ FeatureName = '', RoleArn = '', Status = '' }) => ({
      feature: FeatureName,
      roleArn: RoleArn,
      status: Status,
    })),
  };
}

async function orBusy(sent: Promise<unknown>): Promise<'begun' | 'busy'> {
  try {
    await sent;
    return 'begun';
  } catch (error) {
    if (error instanceof RDSServiceException && passes(error)) return 'busy';
    throw error;
  }
}

const passes = ({ name, message }: RDSServiceException): boolean =>
  BUSY.test(name) || (INVALID.test(name) && message.includes(ROLE_NOT_KNOWN));

async function orMissing(
  describe: () => Promise<DatabaseState | 'missing'>,
): Promise<DatabaseState | 'missing'> {
  try {
    return await describe();
  } catch (error) {
    if (error instanceof RDSServiceException && MISSING.test(error.name)) return 'missing';
    throw error;
  }
}
