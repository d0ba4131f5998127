import { CfnOutput, Stack } from 'aws-cdk-lib';
import * as cloudtrail from 'aws-cdk-lib/aws-cloudtrail';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { makeLogBucket } from './log-bucket.ts';

/**
 * Makes an output with the advanced event selector for a trail of the account or of the organisation: a Region has at
 * most five trails, and this quota cannot be raised.
 */
export function outputEventSelector(
  scope: Construct,
  bucket: s3.IBucket,
  databaseNames: readonly string[],
): void {
  const selector = {
    Name: `Archives of database ${databaseNames[0] ?? ''}`,
    FieldSelectors: [
      { Field: 'eventCategory', Equals: ['Data'] },
      { Field: 'resources.type', Equals: ['AWS::S3::Object'] },
      { Field: 'resources.ARN', StartsWith: databaseNames.map((name) => bucket.arnForObjects(`${name}/`)) },
    ],
  };
  new CfnOutput(scope, 'EventSelector', {
    description: 'For --advanced-event-selectors of a trail of your own, beside those that it has',
    value: Stack.of(scope).toJsonString([selector]),
  });
}

/** Properties of {@link ArchiveTrail}. */
export interface ArchiveTrailProps {
  /** Bucket of the archive, a new one or not. */
  readonly bucket: s3.IBucket;
  /** Database whose archives are watched, and the names that it had before. */
  readonly databaseNames: readonly string[];
}

/**
 * A trail of CloudTrail's data events: who read, wrote or tried to delete which object of the archive, within minutes,
 * with the role and the request. Access logs come hours later and not surely.
 */
export class ArchiveTrail extends Construct {
  readonly trail: cloudtrail.Trail;

  constructor(scope: Construct, id: string, { bucket, databaseNames }: ArchiveTrailProps) {
    super(scope, id);
    this.trail = new cloudtrail.Trail(this, 'Trail', {
      // Bucket says `isWebsite?: boolean | undefined`, IBucket `isWebsite?: boolean`.
      bucket: makeLogBucket(this, 'Events') as s3.IBucket,
      // What the account does otherwise is for the account's own trail.
      managementEvents: cloudtrail.ReadWriteType.NONE,
      includeGlobalServiceEvents: false,
      isMultiRegionTrail: false,
      enableFileValidation: true,
    });
    const objects = databaseNames.map((name) => ({ bucket, objectPrefix: `${name}/` }));
    this.trail.addS3EventSelector(objects, {
      readWriteType: cloudtrail.ReadWriteType.ALL,
      includeManagementEvents: false,
    });
  }
}
