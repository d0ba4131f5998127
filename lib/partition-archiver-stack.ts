import { Duration, Stack, Tags, TimeZone, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { DeploymentConfig } from '../core/config/deployment.ts';
import type { ArchiveBucketProps } from './storage/archive-bucket.ts';
import { acknowledge } from './nag.ts';
import { addOutputs } from './outputs.ts';
import { PartitionArchiver, type PartitionArchiverProps } from './partition-archiver.ts';

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
      // A third of a template of 1 MB would be indentation.
      suppressTemplateIndentation: true,
      ...(config.env === undefined ? {} : { env: config.env }),
      ...props,
    });
    for (const [key, value] of Object.entries(config.tags)) Tags.of(this).add(key, value);
    const {
      kind,
      identifier,
      endpoint,
      port,
      name: databaseName,
      formerNames,
      securityGroupIds,
      allowIngress,
      proxy,
      proxyPool,
      verifyEndpoint,
      authentication,
      resourceId,
      adminUser,
      attachedS3Roles,
    } = config.database;
    const { topicArn, pageTopicArn, ...thresholds } = config.alarms;
    const vpc = this.importVpc(config.network);
    this.archiver = new PartitionArchiver(this, 'Archiver', {
      vpc,
      database: {
        kind,
        identifier,
        endpoint,
        port,
        databaseName,
        formerNames,
        securityGroupIds,
        allowIngress,
        resourceId,
      },
      authentication,
      config: {
        partitionSets: config.partitionSets,
        concurrency: config.concurrency,
        objectLock: config.archive.objectLock,
        expiry: config.archive.expiry,
        acceptedPublications: config.acceptedPublications,
        glueDatabase: config.glueDatabase,
      },
      archive: this.archiveOf(config.archive),
      dataEvents: config.archive.dataEvents,
      ...(proxy === undefined ? {} : proxy === false ? { withoutProxy: true } : { existingProxy: proxy }),
      ...(proxyPool === undefined
        ? {}
        : {
            proxyPool: {
              maxConnectionsPercent: proxyPool.maxConnectionsPercent,
              borrowTimeout: Duration.seconds(proxyPool.borrowTimeoutSeconds),
            },
          }),
      ...(verifyEndpoint === undefined
        ? {}
        : {
            verifyEndpoint: {
              endpoint: verifyEndpoint.endpoint,
              port: verifyEndpoint.port ?? port,
              securityGroupIds: verifyEndpoint.securityGroupIds ?? securityGroupIds,
              resourceId: verifyEndpoint.resourceId,
            },
          }),
      ...this.adminSecretOf(config.database),
      ...(adminUser === undefined ? {} : { adminUser }),
      ...(attachedS3Roles === undefined
        ? {}
        : {
            attachedS3Roles: {
              exportRole: iam.Role.fromRoleArn(this, 'S3ExportRole', attachedS3Roles.exportRoleArn),
              importRole: iam.Role.fromRoleArn(this, 'S3ImportRole', attachedS3Roles.importRoleArn),
            },
          }),
      schedule: {
        ...config.schedule,
        timeZone: TimeZone.of(config.schedule.timeZone),
        window: Duration.minutes(config.schedule.windowMinutes),
        auditSample: config.schedule.auditSample === 'all' ? {} : config.schedule.auditSample,
      },
      ...(config.drill === undefined ? {} : { drill: config.drill }),
      architecture: config.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      logRetention: retentionOf(config.logRetentionDays),
      alarmThresholds: thresholds,
      alarmEmails: config.notificationEmails,
      ...(topicArn === undefined ? {} : { alarmTopic: sns.Topic.fromTopicArn(this, 'AlarmTopic', topicArn) }),
      ...(pageTopicArn === undefined
        ? {}
        : { pageTopic: sns.Topic.fromTopicArn(this, 'PageTopic', pageTopicArn) }),
    });
    addOutputs(this.archiver);
    if (config.network.createVpcEndpoints) this.createVpcEndpoints(vpc);
  }

  private adminSecretOf({
    adminSecretArn: secretCompleteArn,
    adminSecretKeyArn: keyArn,
  }: DeploymentConfig['database']): Pick<PartitionArchiverProps, 'adminSecret'> {
    if (secretCompleteArn === undefined) return {};
    const adminSecret = secretsmanager.Secret.fromSecretAttributes(this, 'AdminSecret', {
      secretCompleteArn,
      ...(keyArn !== undefined && { encryptionKey: kms.Key.fromKeyArn(this, 'AdminSecretKey', keyArn) }),
    });
    return { adminSecret };
  }

  private archiveOf({
    bucket,
    keyArn,
    tiers,
    expiry,
    accessLogs,
    formerKeyArns,
  }: DeploymentConfig['archive']): ArchiveBucketProps {
    if (bucket !== undefined) {
      const encryptionKey = kms.Key.fromKeyArn(this, 'ArchiveKey', bucket.keyArn);
      return { existing: { bucketName: bucket.name, encryptionKey }, formerKeyArns };
    }
    const after = (days: number | undefined) => (days === undefined ? undefined : Duration.days(days));
    return {
      ...(keyArn !== undefined && { encryptionKey: kms.Key.fromKeyArn(this, 'ArchiveKey', keyArn) }),
      accessLogs,
      formerKeyArns,
      expiry,
      tiers: {
        standardIa: after(tiers.standardIaDays),
        glacierInstantRetrieval: after(tiers.glacierInstantRetrievalDays),
        glacierFlexibleRetrieval: after(tiers.glacierFlexibleRetrievalDays),
        glacierDeepArchive: after(tiers.glacierDeepArchiveDays),
      },
    };
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
    // Tokens are signed where they are used.
    if (this.archiver.database.authentication === 'iam') return;
    const endpoint = vpc.addInterfaceEndpoint('SecretsManagerEndpoint', {
      service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      // The address range of the VPC, to which the CDK would open it, is not known here.
      open: false,
    });
    // Private DNS leads all of the VPC here, so all of the VPC is admitted. It cannot be reached from elsewhere.
    endpoint.connections.allowDefaultPortFromAnyIpv4('All of the VPC');
    acknowledge(
      endpoint,
      'EC23',
      'Only the VPC reaches an interface endpoint, and IAM decides what it may do.',
    );
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
