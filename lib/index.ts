/** What the package gives to CDK apps: the construct, and the types of its properties. */
export { PartitionArchiver } from './partition-archiver.ts';
export type { ArchiverSchedule, PartitionArchiverProps } from './partition-archiver-props.ts';
export type { ArchiveExpiry, ArchiverConfig, PartitionSet } from './archiver-config.ts';
export type { DatabaseAuthentication, ExistingProxy } from './database/access-props.ts';
export type { DatabaseTargetProps } from './database/target.ts';
export type { VerifyEndpoint } from './functions/environment.ts';
export type { AlarmThresholds } from './monitoring/alarm-thresholds.ts';
export type { ArchiveBucketProps, StorageTiers } from './storage/archive-bucket.ts';
export type { AuditSample, DrillSchedule } from './workflows/schedules.ts';
