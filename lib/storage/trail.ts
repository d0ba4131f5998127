import * as cloudtrail from 'aws-cdk-lib/aws-cloudtrail';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { makeLogBucket } from './log-bucket.ts';

/** Properties of {@link ArchiveTrail}. */
export interface ArchiveTrailProps {
  /** Bucket of the archive, a new one or not. */
  readonly bucket: s3.IBucket;
  /** Database whose archives are watched. */
  readonly databaseName: string;
}

/**
 * A trail of CloudTrail's data events: who read, wrote or tried to delete which object of the archive, within minutes,
 * with the role and the request. Access logs come hours later and not surely.
 */
export class ArchiveTrail extends Construct {
  readonly trail: cloudtrail.Trail;

  constructor(scope: Construct, id: string, { bucket, databaseName }: ArchiveTrailProps) {
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
    this.trail.addS3EventSelector([{ bucket, objectPrefix: `${databaseName}/` }], {
      readWriteType: cloudtrail.ReadWriteType.ALL,
      includeManagementEvents: false,
    });
  }
}
