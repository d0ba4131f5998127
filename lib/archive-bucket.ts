import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** Properties of {@link ArchiveBucket}. */
export interface ArchiveBucketProps {
  /**
   * Key that encrypts the archive.
   *
   * @default - a new key that rotates every year and outlives the stack
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * The bucket that archives live in.
 *
 * Nobody can delete an object or a version of it while its policy stands, whatever their own policies allow; bucket
 * and key outlive the stack. Object Lock is enabled so that versions can be locked once they are proven, but has no
 * default retention: aws_s3 is not known to send the checksums that S3 then asks of every upload.
 */
export class ArchiveBucket extends Construct {
  readonly bucket: s3.Bucket;
  readonly encryptionKey: kms.IKey;

  constructor(scope: Construct, id: string, props: ArchiveBucketProps = {}) {
    super(scope, id);
    this.encryptionKey =
      props.encryptionKey ??
      new kms.Key(this, 'Key', {
        description: 'Encrypts archived partitions. Without it they cannot be read back',
        enableKeyRotation: true,
        pendingWindow: Duration.days(30),
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          // Parts of an export that failed half way are no object and cost money unseen. This is the only thing
          // that expires: manifests name versions, so that noncurrent ones must stay.
          id: 'AbortIncompleteUploads',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
    this.denyDeletion();
  }

  /** Keeps roles that work with the archive from changing the bucket itself, whatever their own policies say. */
  denySettings(...roles: iam.IRole[]): void {
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'DenySettingsToTheArchiver',
        effect: iam.Effect.DENY,
        principals: roles.map((role) => new iam.ArnPrincipal(role.roleArn)),
        actions: [
          's3:DeleteBucket',
          's3:DeleteBucketPolicy',
          's3:PutBucketPolicy',
          's3:PutBucketVersioning',
          's3:PutBucketObjectLockConfiguration',
          's3:PutLifecycleConfiguration',
          's3:PutReplicationConfiguration',
        ],
        resources: [this.bucket.bucketArn],
      }),
    );
  }

  private denyDeletion(): void {
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'DenyDeletionToEveryone',
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention'],
        resources: [this.bucket.arnForObjects('*')],
      }),
    );
  }
}
