import { Duration } from 'aws-cdk-lib';
import { LONGEST, type StepFunction } from './step-function.ts';

/** Every step of the workflow *Restore*. */
export const RESTORE_STEPS = {
  'plan-restore': {
    description: 'Finds the archives to restore, by their manifests',
    login: 'none',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'find-restore': {
    description: 'Looks what there is of a restore, so that nothing is retrieved in vain',
    login: 'archiver_restore',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  retrieve: {
    description: 'Asks S3 for readable copies of what lies in a Glacier tier',
    login: 'none',
    bucketAccess: 'retrieve',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  'begin-restore': {
    description: 'Checks everything that a restore needs and makes the bare table',
    login: 'archiver_restore',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  import: {
    description: 'Imports one segment from S3, by aws_s3 or by COPY',
    login: 'archiver_restore',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  build: {
    description: 'Makes keys, indexes and triggers of a restored table',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  prove: {
    description: 'Reads one range of a restored table for its proof',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  publish: {
    description: 'Publishes a proven table under its target name',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: Duration.minutes(5),
    memoryMiB: 256,
  },
  attach: {
    description: 'Validates foreign keys of a restored table and attaches it',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  'record-restore-failure': {
    description: 'Records why an archive could not be restored',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  'report-restore': {
    description: 'Sums up a restore, and fails it if an archive was not restored',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;

/** Every step of the workflow *Drill* that *Restore* has not. */
export const DRILL_STEPS = {
  'select-archive': {
    description: 'Selects an archive at random for a restore drill',
    login: 'none',
    bucketAccess: 'read',
    timeout: LONGEST,
    // Manifests of thousands of segments, as those that find reads.
    memoryMiB: 512,
  },
  'finish-drill': {
    description: 'Drops the table of a proven drill and records that it was successful',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  'cancel-drill': {
    description: 'Drops what a failed drill has made, and fails it',
    login: 'archiver_restore',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;
