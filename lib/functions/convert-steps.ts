import { Duration } from 'aws-cdk-lib';
import { LONGEST, type StepFunction } from './step-function.ts';

/** The largest segment that can be configured is 3 GiB; its Parquet is a tenth to a half of that, and never much more than it. */
const DISK_MIB = 6 * 1024;

/** What makes copies: reads text, and puts under `query/` and `query-manifest/` only. */
const CONVERSION = {
  login: 'none',
  bucketAccess: 'write-copies',
  converts: true,
  diskMiB: DISK_MIB,
  // One processor, which Lambda gives from here on: encoding and proof take 60 s of it for each GB of text. 302 MiB were
  // measured with twelve wide columns; the price is that of the seconds, however they are shared out.
  memoryMiB: 1769,
} as const;

/** Every step of the workflow *Convert*, and the look of *Heartbeat* at what it has not done. */
export const CONVERT_STEPS = {
  'convert-next': {
    description: 'Names the next archives that have no Parquet copy',
    login: 'none',
    bucketAccess: 'read-manifests',
    timeout: LONGEST,
    memoryMiB: 512,
  },
  'convert-report': {
    description: 'Sums up a conversion, and fails it if an archive was not converted',
    login: 'none',
    bucketAccess: 'read-manifests',
    timeout: Duration.minutes(1),
    memoryMiB: 512,
  },
  'late-copies': {
    description: 'Publishes for how long archives have been without a Parquet copy',
    login: 'none',
    bucketAccess: 'read-manifests',
    timeout: Duration.minutes(5),
    memoryMiB: 512,
  },
  'begin-conversion': {
    description: 'Looks whether an archive has a copy and can be read, and lists its segments',
    timeout: Duration.minutes(5),
    ...CONVERSION,
  },
  'convert-segment': {
    description: 'Makes the Parquet copy of one segment, proves it, and puts it',
    timeout: LONGEST,
    ...CONVERSION,
  },
  'finish-conversion': {
    description: 'Writes the manifest of a copy whose segments are all there',
    timeout: Duration.minutes(5),
    ...CONVERSION,
  },
  'begin-listing': {
    description: 'Names the next archives whose rows are no longer in the database',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(2),
    memoryMiB: 256,
  },
  'list-archives': {
    description: 'Makes the Glue database show archives as the ledger says',
    login: 'none',
    bucketAccess: 'read-copies',
    catalog: true,
    timeout: Duration.minutes(10),
    memoryMiB: 512,
  },
  'catalog-page': {
    description: 'Takes leftovers out of the Glue database, and names what it shows next',
    login: 'none',
    bucketAccess: 'read-copies',
    catalog: true,
    timeout: Duration.minutes(5),
    memoryMiB: 512,
  },
  'find-leftovers': {
    description: 'Names what the Glue database shows and the ledger does not list',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
  'end-listing': {
    description: 'Records that the Glue database shows archives as it should',
    login: 'archiver_read',
    bucketAccess: 'none',
    timeout: Duration.minutes(1),
    memoryMiB: 256,
  },
} as const satisfies Record<string, StepFunction>;
