import { Duration } from 'aws-cdk-lib';
import { CONVERT_STEPS } from './convert-steps.ts';
import { DRILL_STEPS, RESTORE_STEPS } from './restore-steps.ts';
import { LONGEST, type StepFunction } from './step-function.ts';
import { SETUP_STEPS } from './setup-steps.ts';

/**
 * Every step of the workflow *Archive*. handler-files.ts says in which file its handler is.
 *
 * Memory: all stream, so that 256 MiB would do; 512 MiB buys the processor share that hashing two streams wants.
 */
export const ARCHIVE_STEPS = {
  preflight: {
    description: 'Checks configuration, database and bucket before anything is changed',
    login: 'archiver_read',
    bucketAccess: 'settings',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
    reads: true,
  },
  'explain-unavailable': {
    description: 'Says why the database cannot be reached, by the health of the proxy',
    login: 'none',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
    readsProxyHealth: true,
  },
  maintain: {
    description: 'Records the attached partitions, then runs the maintenance of pg_partman',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  detect: {
    description: 'Finds detached partitions past their retention',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  quarantine: {
    description: 'Fences a detached partition and plans its segments',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  export: {
    description: 'Exports one segment to S3 by aws_s3',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
    exports: 'aws_s3',
  },
  stream: {
    description: 'Streams one segment from the database to S3; reads nothing there',
    login: 'archiver_stream',
    bucketAccess: 'write-data',
    timeout: LONGEST,
    memoryMiB: 1024,
    exports: 'stream',
  },
  verify: {
    description: 'Reads one segment back from S3 and compares it with the table',
    login: 'archiver_read',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
    reads: true,
  },
  commit: {
    description: 'Proves that the segments are the whole partition and writes its manifest',
    login: 'archiver_read',
    bucketAccess: 'write-ddl-and-manifest',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  drop: {
    description: 'Drops a proven partition whose grace period is over',
    login: 'archiver_drop',
    bucketAccess: 'head',
    timeout: Duration.minutes(5),
    memoryMiB: 256,
  },
  'record-failure': {
    description: 'Writes into the ledger why a partition failed',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  'page-facts': {
    description: 'Reads what the page on the archive shows of the ledger',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  'put-page': {
    description: 'Puts a page on the archive into the bucket',
    login: 'none',
    bucketAccess: 'write-page',
    timeout: Duration.minutes(5),
    memoryMiB: 512,
  },
  report: {
    description: 'Sums up the execution, and fails it if a partition failed',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;

/**
 * Every step of the workflow *Heartbeat*, and of those that an operator starts. handler-files.ts says in which file its
 * handler is.
 */
const OPERATOR_STEPS = {
  heartbeat: {
    description: 'Publishes how long ago the last successful run, drill and audit were',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  find: {
    description: 'Finds archives by their manifests',
    login: 'none',
    bucketAccess: 'read-manifests',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'audit-next': {
    description: 'Names the next archives of an audit; at the end, reports',
    login: 'none',
    bucketAccess: 'read-manifests',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'audit-archive': {
    description: 'Looks at everything of one archive but its data',
    login: 'none',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'audit-segments': {
    description: 'Reads segments of one archive back and compares them with its manifest',
    login: 'none',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'audit-verdict': {
    description: 'Says whether one archive is intact',
    login: 'none',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  'audit-failure': {
    description: 'Says why one archive could not be audited',
    login: 'none',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  'record-audit': {
    description: 'Records that an audit was successful',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  resume: {
    description: 'Returns a blocked, restored or released partition to the pipeline',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: Duration.minutes(5),
    memoryMiB: 256,
  },
  release: {
    description: 'Returns a table in quarantine to its owner',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: Duration.minutes(5),
    memoryMiB: 256,
  },
  'upgrade-ledger': {
    description: 'Makes rows of before a major upgrade or a rename rows of what the database is now',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: LONGEST,
    memoryMiB: 256,
  },
  'reverify-plan': {
    description: 'Finds the partitions that are to be verified again',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  'reverify-begin': {
    description: 'Fences and seals a verified partition again',
    login: 'archiver_maintain',
    bucketAccess: 'none',
    timeout: Duration.minutes(5),
    memoryMiB: 256,
  },
  'reverify-segment': {
    description: 'Reads one segment from table and archive again and compares them',
    login: 'archiver_read',
    bucketAccess: 'read',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'reverify-finish': {
    description: 'Has the ledger say verified again',
    login: 'archiver_read',
    bucketAccess: 'read-manifests',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  'reverify-report': {
    description: 'Sums up what was verified again, and fails the execution if a partition failed',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;

export type Step =
  | keyof typeof ARCHIVE_STEPS
  | keyof typeof OPERATOR_STEPS
  | keyof typeof CONVERT_STEPS
  | keyof typeof RESTORE_STEPS
  | keyof typeof DRILL_STEPS
  | keyof typeof SETUP_STEPS;

/** The steps of all workflows. */
export const STEPS: Readonly<Record<Step, StepFunction>> = {
  ...ARCHIVE_STEPS,
  ...OPERATOR_STEPS,
  ...CONVERT_STEPS,
  ...RESTORE_STEPS,
  ...DRILL_STEPS,
  ...SETUP_STEPS,
};

export const STEP_NAMES = Object.keys(STEPS) as readonly Step[];
