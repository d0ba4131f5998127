import { Aws, CfnRule, Duration, Fn, Stack, Tags, TimeZone } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { lateCopyDays } from '../core/config/copy-days.ts';
import { DEFAULT_SCHEDULE } from '../core/config/deployment.ts';
import { exportWays } from '../core/config/partition-set.ts';
import { displayName } from '../core/config/display-name.ts';
import { ArchiveAlarms } from './monitoring/alarms.ts';
import { ArchiveBucket } from './storage/archive-bucket.ts';
import { ArchiveDashboard } from './monitoring/dashboard.ts';
import { ArchiveSchedules } from './workflows/schedules.ts';
import { ArchiveTrail, outputEventSelector } from './storage/trail.ts';
import { ArchiveWorkflow } from './workflows/archive.ts';
import { ConvertWorkflow } from './workflows/convert.ts';
import { ArchiverFunctions } from './functions/functions.ts';
import { pageObject } from './functions/bucket-statements.ts';
import { ArchiverMetrics } from './monitoring/metrics.ts';
import { DatabaseCustomResources } from './database/custom-resources.ts';
import { DatabaseAccess } from './database/access.ts';
import { DatabaseS3Roles } from './database/s3-roles.ts';
import { databaseRoles } from './database/roles.ts';
import { DatabaseTarget } from './database/target.ts';
import { DrillWorkflow } from './workflows/drill.ts';
import { checkedProps } from './checked-props.ts';
import { archiverName, physicalName } from './physical-name.ts';
import { HeartbeatWorkflow } from './workflows/heartbeat.ts';
import { inlinePolicies } from './inline-policies.ts';
import { OperatorWorkflows } from './workflows/operator.ts';
import type { PartitionArchiverProps } from './partition-archiver-props.ts';
import { RestoreWorkflow } from './workflows/restore.ts';
import { makeWorkflowLogPolicy, makeWorkflowLogs } from './workflows/state-machine.ts';
import { SetupWorkflows } from './workflows/setup.ts';

export type { PartitionArchiverProps } from './partition-archiver-props.ts';

/** Domain of the services that the policies name. */
const DOMAIN = 'amazonaws.com';

/** Tag of all roles of an archiver, by which the policy of its bucket knows them. */
const ARCHIVER_TAG = 'partition-archiver:archiver';

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
  /** The workflow *Heartbeat*. */
  readonly heartbeatStateMachine: sfn.StateMachine;
  /** The workflow *Convert*, where a partition set has `query`. */
  readonly convertStateMachine: sfn.StateMachine | undefined;
  /** What operators start: find, audit, resume, release, reverify, upgrade the ledger. */
  readonly operations: OperatorWorkflows;
  /** What gets a database and its tables ready: adopt, and with a secret of an administrator prepare, inspect, partition. */
  readonly setup: SetupWorkflows;
  readonly alarmTopic: sns.ITopic;
  /** The metrics of this archiver, for alarms and dashboards of your own. */
  readonly metrics: ArchiverMetrics;
  /** Roles that the database assumes for aws_s3, where a partition set is exported by it. */
  readonly databaseS3Roles: DatabaseS3Roles | undefined;

  constructor(scope: Construct, id: string, props: PartitionArchiverProps) {
    super(scope, id);
    const config = checkedProps(props);
    const name = archiverName(this);
    // Policies name services by this domain (kms:ViaService). Where the stack has no Region yet, only CloudFormation knows it.
    new CfnRule(this, 'Domain', {
      assertions: [
        {
          assert: Fn.conditionEquals(Aws.URL_SUFFIX, DOMAIN),
          assertDescription: `The Region must be one whose services are in the domain ${DOMAIN}: not in China, in the European Sovereign Cloud or isolated. Deploy in another Region`,
        },
      ],
    });
    const ways = exportWays(config.partitionSets);
    const vpcSubnets = props.vpcSubnets ?? { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };
    const target = new DatabaseTarget(this, 'Target', props.database);
    this.archive = new ArchiveBucket(this, 'Archive', props.archive);
    const databaseNames = [target.databaseName, ...target.formerNames];
    if (props.dataEvents === true) {
      new ArchiveTrail(this, 'Trail', { bucket: this.archive.bucket, databaseNames });
    }
    if (props.dataEvents === 'selector') outputEventSelector(this, this.archive.bucket, databaseNames);
    const logRetention = props.logRetention === undefined ? {} : { logRetention: props.logRetention };
    const architecture = props.architecture === undefined ? {} : { architecture: props.architecture };
    const customResources = once(
      () => new DatabaseCustomResources(this, 'Changes', { target, ...architecture, ...logRetention }),
    );
    this.database = new DatabaseAccess(this, 'Database', {
      vpc: props.vpc,
      vpcSubnets,
      target,
      roles: databaseRoles(ways),
      customResources,
      ...(props.proxyPool === undefined ? {} : { proxyPool: props.proxyPool }),
      ...(props.withoutProxy === undefined ? {} : { withoutProxy: props.withoutProxy }),
      ...(props.existingProxy === undefined ? {} : { existingProxy: props.existingProxy }),
      ...(props.authentication === undefined ? {} : { authentication: props.authentication }),
      ...(props.adminSecret === undefined ? {} : { adminSecret: props.adminSecret }),
      ...(props.adminUser === undefined ? {} : { adminUser: props.adminUser }),
    });
    this.databaseS3Roles = ways.has('aws_s3')
      ? new DatabaseS3Roles(this, 'DatabaseS3', {
          archive: this.archive,
          target,
          customResources,
          ...(props.attachedS3Roles === undefined ? {} : { attachedRoles: props.attachedS3Roles }),
        })
      : undefined;
    this.functions = new ArchiverFunctions(this, 'Functions', {
      vpc: props.vpc,
      vpcSubnets,
      database: this.database,
      ...(props.verifyEndpoint === undefined ? {} : { verifyEndpoint: props.verifyEndpoint }),
      archive: this.archive,
      config,
      archiver: name,
      ...architecture,
      ...logRetention,
    });
    const tag = { key: ARCHIVER_TAG, value: name };
    Tags.of(this).add(tag.key, tag.value, { includeResourceTypes: ['AWS::IAM::Role'] });
    this.archive.denySettings(tag, Object.values(props.attachedS3Roles ?? {}));
    const logGroup = makeWorkflowLogs(
      this,
      'WorkflowLogs',
      props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
    );
    const logPolicy = makeWorkflowLogPolicy(this, 'WorkflowLogPolicy');
    const context = { functions: this.functions, logGroup, logPolicy };
    this.stateMachine = new ArchiveWorkflow(this, 'Workflow', {
      concurrency: config.concurrency,
      ...context,
    }).stateMachine;
    this.restoreStateMachine = new RestoreWorkflow(this, 'RestoreWorkflow', {
      concurrency: config.concurrency,
      ...context,
    }).stateMachine;
    this.drillStateMachine = new DrillWorkflow(this, 'DrillWorkflow', {
      segmentConcurrency: config.concurrency.segments,
      ...context,
    }).stateMachine;
    this.convertStateMachine = this.functions.has('convert-segment')
      ? new ConvertWorkflow(this, 'ConvertWorkflow', context).stateMachine
      : undefined;
    this.operations = new OperatorWorkflows(this, 'Operations', {
      concurrency: config.concurrency,
      ...context,
    });
    this.heartbeatStateMachine = new HeartbeatWorkflow(this, 'HeartbeatWorkflow', context).stateMachine;
    this.setup = new SetupWorkflows(this, 'Setup', {
      hasAdministrator: this.functions.has('prepare-database'),
      others: [
        this.stateMachine,
        this.restoreStateMachine,
        this.drillStateMachine,
        this.heartbeatStateMachine,
        ...(this.convertStateMachine === undefined ? [] : [this.convertStateMachine]),
        ...Object.values(this.operations.stateMachines),
      ],
      ...context,
    });
    const schedule = {
      timeZone: TimeZone.ETC_UTC,
      window: Duration.minutes(15),
      ...DEFAULT_SCHEDULE,
      ...props.schedule,
    };
    const { deadLetterQueue } = new ArchiveSchedules(this, 'Schedules', {
      stateMachine: this.stateMachine,
      auditStateMachine: this.operations.audit,
      heartbeatStateMachine: this.heartbeatStateMachine,
      convertStateMachine: this.convertStateMachine,
      ...schedule,
      ...(props.drill === undefined
        ? {}
        : { drill: { stateMachine: this.drillStateMachine, ...props.drill } }),
    });
    this.metrics = new ArchiverMetrics(
      name,
      config.partitionSets.map(({ schema, table }) => displayName(schema, table)),
    );
    const { topic, alarms } = new ArchiveAlarms(this, 'Alarms', {
      stateMachine: this.stateMachine,
      deadLetterQueue,
      metrics: this.metrics,
      heartbeat: this.heartbeatStateMachine,
      drill: { stateMachine: this.drillStateMachine, isScheduled: props.drill !== undefined },
      audit: { stateMachine: this.operations.audit, isScheduled: schedule.audit !== undefined },
      ...(this.convertStateMachine !== undefined && {
        convert: { stateMachine: this.convertStateMachine, lateDays: lateCopyDays(schedule.convert) },
      }),
      ...(props.alarmThresholds === undefined ? {} : { thresholds: props.alarmThresholds }),
      otherWorkflows: {
        Restore: this.restoreStateMachine,
        Drill: this.drillStateMachine,
        Heartbeat: this.heartbeatStateMachine,
        ...(this.convertStateMachine === undefined ? {} : { Convert: this.convertStateMachine }),
        ...this.operations.stateMachines,
        ...this.setup.stateMachines,
      },
      ...(props.alarmTopic === undefined ? {} : { topic: props.alarmTopic }),
      ...(props.pageTopic === undefined ? {} : { pageTopic: props.pageTopic }),
      ...(props.alarmEmails === undefined ? {} : { emails: props.alarmEmails }),
    });
    this.alarmTopic = topic;
    new ArchiveDashboard(this, 'Overview', {
      name: physicalName(name, 'Overview', 255),
      metrics: this.metrics,
      alarms,
      functions: this.functions,
      pageUrl: pageUrlOf(Stack.of(this), this.archive.bucket.bucketName, target.databaseName),
    });
    inlinePolicies(this);
  }
}

/** The object of the page in the console of S3, which knows from there how to open it. */
const pageUrlOf = ({ region }: Stack, bucket: string, databaseName: string): string =>
  `https://${region}.console.aws.amazon.com/s3/object/${bucket}?region=${region}&prefix=${encodeURIComponent(pageObject(databaseName))}`;

/** Made when it is asked for first, and then the same. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
