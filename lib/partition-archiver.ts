import { CfnOutput, type TimeZone } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { displayName } from '../core/config/display-name.ts';
import type { RuntimeConfig } from '../core/config/runtime.ts';
import { ArchiveAlarms, type AlarmThresholds } from './archive-alarms.ts';
import { ArchiveBucket, type ArchiveBucketProps } from './archive-bucket.ts';
import { ArchiveDashboard } from './archive-dashboard.ts';
import { ArchiveSchedules, type AuditSample, type DrillSchedule } from './archive-schedules.ts';
import { ArchiveStateMachine } from './archive-state-machine.ts';
import { ArchiveTrail } from './archive-trail.ts';
import { ArchiverFunctions, type VerifyEndpoint } from './archiver-functions.ts';
import { ArchiverMetrics } from './archiver-metrics.ts';
import { DatabaseAccess, type DatabaseAuthentication, type ExistingProxy } from './database-access.ts';
import { DatabaseS3Roles } from './database-s3-roles.ts';
import { DatabaseTarget, type DatabaseTargetProps } from './database-target.ts';
import { DrillStateMachine } from './drill-state-machine.ts';
import { OperatorWorkflows } from './operator-workflows.ts';
import { RestoreStateMachine } from './restore-state-machine.ts';

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
  /** Partition sets, how much is done at the same time, and how long proven archives are locked. */
  readonly config: RuntimeConfig;
  /**
   * The bucket of the archives.
   *
   * @default - a new bucket and a new key, everything in Standard, with access logs
   */
  readonly archive?: ArchiveBucketProps;
  /**
   * Whether a trail of CloudTrail records who reads or writes which object of the archive, whichever bucket it is in.
   *
   * @default false
   */
  readonly dataEvents?: boolean;
  /**
   * RDS Proxy that is there already.
   *
   * @default - a new proxy that insists on TLS
   */
  readonly existingProxy?: ExistingProxy;
  /**
   * Where the step `verify` reads tables, so that comparing them costs the writer nothing: a reader endpoint, a read
   * replica, or the writer past the proxy. It proves first that the export is replayed there.
   *
   * @default - through the proxy, at the writer
   */
  readonly verifyEndpoint?: VerifyEndpoint;
  /**
   * How functions log in: by a generated password for each database role, or by IAM from end to end, for which
   * `database.resourceId` must be given.
   *
   * @default 'secrets'
   */
  readonly authentication?: DatabaseAuthentication;
  /**
   * Secret `{"username", "password"}` of an administrator of the database.
   *
   * @default - the workflows that need an administrator are not made
   */
  readonly adminSecret?: secretsmanager.ISecret;
  /**
   * Roles that are attached to the database already for s3Export and s3Import.
   *
   * @default - two new roles, which are attached
   */
  readonly attachedS3Roles?: { readonly exportRole: iam.IRole; readonly importRole: iam.IRole };
  /** When executions are started. */
  readonly schedule: {
    readonly timeZone: TimeZone;
    readonly archive: string;
    readonly inventory: string;
    readonly drop: string;
    /** @default - archives are audited only by hand */
    readonly audit?: string | undefined;
    /** How much each scheduled audit reads back; see {@link AuditSample}. */
    readonly auditSample?: AuditSample;
  };
  /**
   * When a restore drill is held, and of how large an archive at most.
   *
   * @default - drills are held by hand only
   */
  readonly drill?: DrillSchedule;
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
   * From where on alarms are raised.
   *
   * @default - see AlarmThresholds
   */
  readonly alarmThresholds?: AlarmThresholds;
  /**
   * Topic that alarms go to.
   *
   * @default - a new topic, encrypted with a key of its own
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
  /** The workflow *Restore*. */
  readonly restoreStateMachine: sfn.StateMachine;
  /** The workflow *Drill*. */
  readonly drillStateMachine: sfn.StateMachine;
  /** What operators start: find, audit, release, reverify. */
  readonly operations: OperatorWorkflows;
  readonly alarmTopic: sns.ITopic;
  /** The metrics of this archiver, for alarms and dashboards of your own. */
  readonly metrics: ArchiverMetrics;
  /** Roles that the database assumes for aws_s3. */
  readonly databaseS3Roles: DatabaseS3Roles;

  constructor(scope: Construct, id: string, props: PartitionArchiverProps) {
    super(scope, id);
    const vpcSubnets = props.vpcSubnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };
    const target = new DatabaseTarget(this, 'Target', props.database);
    this.archive = new ArchiveBucket(this, 'Archive', props.archive);
    if (props.dataEvents === true) {
      const { databaseName } = props.database;
      new ArchiveTrail(this, 'Trail', { bucket: this.archive.bucket, databaseName });
    }
    this.database = new DatabaseAccess(this, 'Database', {
      vpc: props.vpc,
      vpcSubnets,
      target,
      ...(props.existingProxy === undefined ? {} : { existingProxy: props.existingProxy }),
      ...(props.authentication === undefined ? {} : { authentication: props.authentication }),
      ...(props.adminSecret === undefined ? {} : { adminSecret: props.adminSecret }),
    });
    const logRetention = props.logRetention === undefined ? {} : { logRetention: props.logRetention };
    this.databaseS3Roles = new DatabaseS3Roles(this, 'DatabaseS3', {
      archive: this.archive,
      target,
      ...(props.attachedS3Roles === undefined ? {} : { attachedRoles: props.attachedS3Roles }),
      ...logRetention,
    });
    this.functions = new ArchiverFunctions(this, 'Functions', {
      vpc: props.vpc,
      vpcSubnets,
      database: this.database,
      ...(props.verifyEndpoint === undefined ? {} : { verifyEndpoint: props.verifyEndpoint }),
      archive: this.archive,
      config: props.config,
      archiver: this.node.path,
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
    this.restoreStateMachine = new RestoreStateMachine(this, 'RestoreWorkflow', {
      functions: this.functions,
      concurrency: props.config.concurrency,
      ...logRetention,
    }).stateMachine;
    this.drillStateMachine = new DrillStateMachine(this, 'DrillWorkflow', {
      functions: this.functions,
      segmentConcurrency: props.config.concurrency.segments,
      ...logRetention,
    }).stateMachine;
    this.operations = new OperatorWorkflows(this, 'Operations', {
      functions: this.functions,
      concurrency: props.config.concurrency,
      ...logRetention,
    });
    const { deadLetterQueue } = new ArchiveSchedules(this, 'Schedules', {
      stateMachine: this.stateMachine,
      auditStateMachine: this.operations.audit,
      ...props.schedule,
      ...(props.drill === undefined
        ? {}
        : { drill: { stateMachine: this.drillStateMachine, ...props.drill } }),
    });
    this.metrics = new ArchiverMetrics(
      this.node.path,
      props.config.partitionSets.map(({ schema, table }) => displayName(schema, table)),
    );
    const { topic, alarms } = new ArchiveAlarms(this, 'Alarms', {
      stateMachine: this.stateMachine,
      auditStateMachine: this.operations.audit,
      deadLetterQueue,
      metrics: this.metrics,
      drill: { stateMachine: this.drillStateMachine, isScheduled: props.drill !== undefined },
      ...(props.alarmThresholds === undefined ? {} : { thresholds: props.alarmThresholds }),
      ...(props.alarmTopic === undefined ? {} : { topic: props.alarmTopic }),
      ...(props.alarmEmails === undefined ? {} : { emails: props.alarmEmails }),
    });
    this.alarmTopic = topic;
    new ArchiveDashboard(this, 'Overview', { metrics: this.metrics, alarms, functions: this.functions });
    this.addOutputs();
  }

  private addOutputs(): void {
    const output = (id: string, description: string, value: string) =>
      new CfnOutput(this, id, { description, value });
    output('StateMachineArn', 'Start executions of this state machine', this.stateMachine.stateMachineArn);
    output(
      'RestoreStateMachineArn',
      'Start executions of this state machine to restore archives',
      this.restoreStateMachine.stateMachineArn,
    );
    output(
      'DrillStateMachineArn',
      'Start executions of this state machine to try whether an archive can be restored',
      this.drillStateMachine.stateMachineArn,
    );
    output('BucketName', 'Bucket that the archive is in', this.archive.bucket.bucketName);
    output('ProxyEndpoint', 'Host name that the functions connect to', this.database.host);
    const { exportRole, importRole } = this.databaseS3Roles;
    for (const [direction, { roleArn }] of Object.entries({ Export: exportRole, Import: importRole })) {
      output(`${direction}RoleArn`, `To be attached to the database for the feature s3${direction}`, roleArn);
    }
    for (const role of this.database.rolesWithSecret) {
      const { secretArn, node } = this.database.secret(role);
      output(`${node.id}Arn`, `Login of the database role ${role}`, secretArn);
    }
  }
}
