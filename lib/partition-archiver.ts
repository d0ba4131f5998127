import { CfnOutput, type TimeZone } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { RuntimeConfig } from '../core/config/runtime.ts';
import { ArchiveAlarms } from './archive-alarms.ts';
import { ArchiveBucket } from './archive-bucket.ts';
import { ArchiveSchedules } from './archive-schedules.ts';
import { ArchiveStateMachine } from './archive-state-machine.ts';
import { ArchiverFunctions } from './archiver-functions.ts';
import { DatabaseAccess } from './database-access.ts';
import { DatabaseS3Roles } from './database-s3-roles.ts';
import { DatabaseTarget, type DatabaseTargetProps } from './database-target.ts';
import { DATABASE_ROLES } from './steps.ts';

/** Properties of {@link PartitionArchiver}. */
export interface PartitionArchiverProps {
  readonly vpc: ec2.IVpc;
  /**
   * Subnets of the functions and of the proxy. They need a way to S3 and Secrets Manager.
   *
   * @default - the private subnets with egress
   */
  readonly vpcSubnets?: ec2.SubnetSelection;
  /** The existing database. */
  readonly database: DatabaseTargetProps;
  /** Partition sets, and how much is done at the same time. */
  readonly config: RuntimeConfig;
  /** When executions are started. */
  readonly schedule: {
    readonly timeZone: TimeZone;
    readonly archive: string;
    readonly inventory: string;
    readonly drop: string;
  };
  /**
   * Processor of the functions.
   *
   * @default lambda.Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;
  /**
   * How long logs are kept.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;
  /**
   * Topic that alarms go to.
   *
   * @default - a new topic
   */
  readonly alarmTopic?: sns.ITopic;
  /**
   * Addresses that are subscribed to the topic.
   *
   * @default - none
   */
  readonly alarmEmails?: readonly string[];
}

/** Everything that archives the partitions of one existing database. */
export class PartitionArchiver extends Construct {
  readonly archive: ArchiveBucket;
  readonly database: DatabaseAccess;
  readonly functions: ArchiverFunctions;
  readonly stateMachine: sfn.StateMachine;
  readonly alarmTopic: sns.ITopic;
  /** Roles that the database assumes for aws_s3. */
  readonly databaseS3Roles: DatabaseS3Roles;

  constructor(scope: Construct, id: string, props: PartitionArchiverProps) {
    super(scope, id);
    const vpcSubnets = props.vpcSubnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };
    const target = new DatabaseTarget(this, 'Target', props.database);
    this.archive = new ArchiveBucket(this, 'Archive');
    this.database = new DatabaseAccess(this, 'Database', { vpc: props.vpc, vpcSubnets, target });
    this.databaseS3Roles = new DatabaseS3Roles(this, 'DatabaseS3', { archive: this.archive, target });
    const logRetention = props.logRetention === undefined ? {} : { logRetention: props.logRetention };
    this.functions = new ArchiverFunctions(this, 'Functions', {
      vpc: props.vpc,
      vpcSubnets,
      database: this.database,
      archive: this.archive,
      config: props.config,
      ...(props.architecture === undefined ? {} : { architecture: props.architecture }),
      ...logRetention,
    });
    this.archive.denySettings(
      ...this.functions.roles,
      this.databaseS3Roles.exportRole,
      this.databaseS3Roles.importRole,
    );
    this.stateMachine = new ArchiveStateMachine(this, 'Workflow', {
      functions: this.functions,
      concurrency: props.config.concurrency,
      ...logRetention,
    }).stateMachine;
    const { deadLetterQueue } = new ArchiveSchedules(this, 'Schedules', {
      stateMachine: this.stateMachine,
      ...props.schedule,
    });
    this.alarmTopic = new ArchiveAlarms(this, 'Alarms', {
      stateMachine: this.stateMachine,
      deadLetterQueue,
      ...(props.alarmTopic === undefined ? {} : { topic: props.alarmTopic }),
      ...(props.alarmEmails === undefined ? {} : { emails: props.alarmEmails }),
    }).topic;
    this.addOutputs();
  }

  private addOutputs(): void {
    const output = (id: string, description: string, value: string) =>
      new CfnOutput(this, id, { description, value });
    output('StateMachineArn', 'Start executions of this state machine', this.stateMachine.stateMachineArn);
    output('BucketName', 'Bucket that the archive is in', this.archive.bucket.bucketName);
    output('ProxyEndpoint', 'Host name that the functions connect to', this.database.host);
    output(
      'ExportRoleArn',
      'To be attached to the database for the feature s3Export',
      this.databaseS3Roles.exportRole.roleArn,
    );
    output(
      'ImportRoleArn',
      'To be attached to the database for the feature s3Import',
      this.databaseS3Roles.importRole.roleArn,
    );
    for (const role of DATABASE_ROLES) {
      const { secretArn, node } = this.database.secret(role);
      output(`${node.id}Arn`, `Login of the database role ${role}`, secretArn);
    }
  }
}
