import type { Duration, TimeZone } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { ArchiverConfig } from './archiver-config.ts';
import type { AlarmThresholds } from './monitoring/alarms.ts';
import type { ArchiveBucketProps } from './storage/archive-bucket.ts';
import type { AuditSample, DrillSchedule } from './workflows/schedules.ts';
import type { VerifyEndpoint } from './functions/functions.ts';
import type { DatabaseAuthentication, ExistingProxy, ProxyPool } from './database/access.ts';
import type { DatabaseTargetProps } from './database/target.ts';

/** When executions are started, as EventBridge Scheduler writes it: `cron(…)` or `rate(…)`. */
export interface ArchiverSchedule {
  /**
   * Time zone of the expressions, daylight saving included.
   *
   * @default TimeZone.ETC_UTC
   */
  readonly timeZone?: TimeZone;
  /**
   * The whole run.
   *
   * @default 'cron(0 3 1 * ? *)' - on the first of each month at 03:00
   */
  readonly archive?: string;
  /**
   * The look at which partitions exist, so that none is detached unseen between two whole runs.
   *
   * @default 'cron(0 1 * * ? *)' - daily at 01:00
   */
  readonly inventory?: string;
  /**
   * The drop of what is past its grace period.
   *
   * @default 'cron(0 5 * * ? *)' - daily at 05:00
   */
  readonly drop?: string;
  /**
   * Parquet copies for the sets with `query`.
   *
   * @default 'cron(0 6 * * ? *)' - daily at 06:00
   */
  readonly convert?: string;
  /**
   * Within which time EventBridge Scheduler starts each execution, so that archivers with the same schedule do not start
   * together; zero for starts on time.
   *
   * @default Duration.minutes(15)
   */
  readonly window?: Duration;
  /**
   * The audit, which reads archives back.
   *
   * @default - archives are audited only by hand
   */
  readonly audit?: string | undefined;
  /**
   * How much each scheduled audit reads back, chosen at random.
   *
   * @default - everything
   */
  readonly auditSample?: AuditSample;
}

/** Properties of the construct `PartitionArchiver`. */
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
  readonly config: ArchiverConfig;
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
  readonly dataEvents?: boolean | 'selector';
  /**
   * RDS Proxy that is there already.
   *
   * @default - a new proxy that insists on TLS
   */
  readonly existingProxy?: ExistingProxy;
  /**
   * Connections of a new proxy.
   *
   * @default - see each
   */
  readonly proxyPool?: ProxyPool;
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
   * Secret `{"username", "password"}` of an administrator of the database. Import it with its key
   * (`Secret.fromSecretAttributes`) where it is encrypted with one of your own.
   *
   * @default - the workflows that need an administrator are not made
   */
  readonly adminSecret?: secretsmanager.ISecret;
  /**
   * Role of an administrator who logs in by IAM, where functions do: a member of `rds_superuser` and `rds_iam`.
   *
   * @default - the workflows that need an administrator are not made
   */
  readonly adminUser?: string;
  /**
   * Whether functions connect straight to the database: no proxy is made, and none is used.
   *
   * @default false
   */
  readonly withoutProxy?: boolean;
  /**
   * Roles that are attached to the database already for s3Export and s3Import.
   *
   * @default - two new roles, which are attached
   */
  readonly attachedS3Roles?: { readonly exportRole: iam.IRole; readonly importRole: iam.IRole };
  /**
   * When executions are started.
   *
   * @default - see each
   */
  readonly schedule?: ArchiverSchedule;
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
   * Topic that alarms go to. If it is encrypted, its key has to let `cloudwatch.amazonaws.com` use it.
   *
   * @default - a new topic, encrypted with a key of its own
   */
  readonly alarmTopic?: sns.ITopic;
  /**
   * Topic of those alarms that page, for which the same holds.
   *
   * @default - the topic of the other alarms
   */
  readonly pageTopic?: sns.ITopic;
  /**
   * Addresses that are subscribed to the topic.
   *
   * @default - none
   */
  readonly alarmEmails?: readonly string[];
}
