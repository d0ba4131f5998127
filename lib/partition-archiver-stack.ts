import { Stack, Tags, TimeZone, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { DeploymentConfig } from '../core/config/deployment.ts';
import { PartitionArchiver } from './partition-archiver.ts';

/** Properties of {@link PartitionArchiverStack}. */
export interface PartitionArchiverStackProps extends StackProps {
  /** The deployment file, checked. */
  readonly config: DeploymentConfig;
}

/** The deployment file as a stack. Looks nothing up, so that it synthesises without credentials or network. */
export class PartitionArchiverStack extends Stack {
  readonly archiver: PartitionArchiver;

  constructor(scope: Construct, id: string, { config, ...props }: PartitionArchiverStackProps) {
    super(scope, id, {
      description: 'Archives detached PostgreSQL partitions to S3, proves them, and only then drops them',
      ...(config.env === undefined ? {} : { env: config.env }),
      ...props,
    });
    for (const [key, value] of Object.entries(config.tags)) Tags.of(this).add(key, value);
    const { kind, identifier, endpoint, port, name, securityGroupIds } = config.database;
    const vpc = this.importVpc(config.network);
    this.archiver = new PartitionArchiver(this, 'Archiver', {
      vpc,
      database: { kind, identifier, endpoint, port, databaseName: name, securityGroupIds },
      config: { partitionSets: config.partitionSets, concurrency: config.concurrency },
      schedule: { ...config.schedule, timeZone: TimeZone.of(config.schedule.timeZone) },
      architecture: config.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      logRetention: retentionOf(config.logRetentionDays),
      alarmEmails: config.notificationEmails,
    });
    if (config.network.createVpcEndpoints) this.createVpcEndpoints(vpc);
  }

  private importVpc(network: DeploymentConfig['network']): ec2.IVpc {
    return ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: network.vpcId,
      availabilityZones: network.availabilityZones,
      privateSubnetIds: network.privateSubnetIds,
      privateSubnetRouteTableIds: network.privateSubnetRouteTableIds,
    });
  }

  private createVpcEndpoints(vpc: ec2.IVpc): void {
    vpc.addGatewayEndpoint('S3Endpoint', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    const secretsManager = vpc.addInterfaceEndpoint('SecretsManagerEndpoint', {
      service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      // By default the whole VPC may use it, whose address range is not known here.
      open: false,
    });
    for (const each of this.archiver.functions.all) secretsManager.connections.allowDefaultPortFrom(each);
  }
}

/** The schema of the file lists the same numbers as the enum; this finds out where they part. */
function retentionOf(days: number): logs.RetentionDays {
  const found = Object.values(logs.RetentionDays).find(
    (member): member is logs.RetentionDays => Number(member) === days,
  );
  if (found === undefined) throw new Error(`CloudWatch Logs knows no retention of ${days} days`);
  return found;
}
