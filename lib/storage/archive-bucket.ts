import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { COPY_TAG, PAGE_TAG, PROVEN_TAG } from '../../core/config/proven-tag.ts';
import type { ArchiveExpiry } from '../archiver-config.ts';
import { acknowledge } from '../nag.ts';
import { makeLogBucket } from './log-bucket.ts';

/** When proven data moves to colder storage, counted from its export. */
export interface StorageTiers {
  /** @default - never */
  readonly standardIa?: Duration | undefined;
  /** @default - never */
  readonly glacierInstantRetrieval?: Duration | undefined;
  /** @default - never */
  readonly glacierFlexibleRetrieval?: Duration | undefined;
  /** @default - never */
  readonly glacierDeepArchive?: Duration | undefined;
}

/** Properties of {@link ArchiveBucket}. */
export interface ArchiveBucketProps {
  /**
   * Bucket that is there already. It is used as it is: policy, lifecycle and access logs are its owner's. It must keep
   * versions, and have Object Lock enabled if archives are to be locked; the preflight of each run looks.
   *
   * @default - a new bucket
   */
  readonly existing?: { readonly bucketName: string; readonly encryptionKey: kms.IKey };
  /**
   * Key that encrypts a new bucket.
   *
   * @default - a new key that rotates every year and outlives the stack
   */
  readonly encryptionKey?: kms.IKey;
  /**
   * Keys that older archives are encrypted with. The archiver may decrypt with them, and encrypts nothing.
   *
   * @default - none
   */
  readonly formerKeyArns?: readonly string[];
  /**
   * When proven data moves to colder storage. DDL and manifests stay in Standard: every restore begins with them.
   *
   * @default - everything stays in Standard
   */
  readonly tiers?: StorageTiers;
  /**
   * When proven data expires in a new bucket, and when its versions are deleted after that.
   *
   * @default - never
   */
  readonly expiry?: ArchiveExpiry | undefined;
  /**
   * Whether a second bucket keeps the server access logs of a new one, for a year.
   *
   * @default true
   */
  readonly accessLogs?: boolean;
}

/**
 * The bucket that archives live in.
 *
 * No principal can delete an object or a version of a new one while its policy stands, whatever other policies allow;
 * bucket and key outlive the stack. Object Lock is enabled so that versions can be locked once they are proven, but has
 * no default retention: aws_s3 is not known to send the checksums that S3 then asks of every upload.
 */
export class ArchiveBucket extends Construct {
  readonly bucket: s3.IBucket;
  readonly encryptionKey: kms.IKey;
  /** Keys that only decrypt. */
  readonly formerKeyArns: readonly string[];

  constructor(scope: Construct, id: string, props: ArchiveBucketProps = {}) {
    super(scope, id);
    this.formerKeyArns = props.formerKeyArns ?? [];
    const given = (props.existing?.encryptionKey ?? props.encryptionKey)?.keyArn;
    refuseAliases(Stack.of(this).resolve([given ?? '', ...this.formerKeyArns]) as unknown[]);
    if (props.existing !== undefined) {
      const { bucketName, encryptionKey } = props.existing;
      this.encryptionKey = encryptionKey;
      this.bucket = s3.Bucket.fromBucketAttributes(this, 'Bucket', { bucketName, encryptionKey });
      return;
    }
    this.encryptionKey =
      props.encryptionKey ??
      new kms.Key(this, 'Key', {
        description: 'Encrypts archived partitions. Without it they cannot be read back',
        enableKeyRotation: true,
        pendingWindow: Duration.days(30),
        // What a deployment that failed made for nothing goes with it.
        removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      });
    const bucket = this.makeBucket(this.encryptionKey, props);
    // Bucket says `isWebsite?: boolean | undefined`, IBucket `isWebsite?: boolean`.
    this.bucket = bucket as s3.IBucket;
    if (props.accessLogs === false) {
      acknowledge(bucket, 'S1', 'Access logs were switched off by the configuration of this archiver.');
    }
    this.denyDeletion();
    // The bucket stays, and so does what keeps its archives from being deleted.
    bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  }

  /**
   * Keeps roles that work with the archive from changing a new bucket itself, whatever their own policies say: those with
   * a tag, and given ones. The policy outlives the roles of the stack, and one whose principals are gone could not be
   * edited any more: so they stand in conditions.
   */
  denySettings(tag: { readonly key: string; readonly value: string }, given: readonly iam.IRole[]): void {
    this.denySettingsTo('DenySettingsToTheArchiver', {
      StringEquals: { [`aws:PrincipalTag/${tag.key}`]: tag.value },
    });
    if (given.length > 0) {
      const arns = given.map(({ roleArn }) => roleArn);
      this.denySettingsTo('DenySettingsToGivenRoles', { ArnEquals: { 'aws:PrincipalArn': arns } });
    }
  }

  private denySettingsTo(sid: string, conditions: Readonly<Record<string, object>>): void {
    this.bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid,
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        conditions,
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

  private makeBucket(
    encryptionKey: kms.IKey,
    { tiers = {}, expiry, accessLogs }: ArchiveBucketProps,
  ): s3.Bucket {
    const transitions = transitionsOf(tiers);
    const provenData = { [PROVEN_TAG.key]: PROVEN_TAG.value };
    return new s3.Bucket(this, 'Bucket', {
      versioned: true,
      objectLockEnabled: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      ...(accessLogs === false
        ? {}
        : { serverAccessLogsBucket: makeLogBucket(this, 'AccessLogs') as s3.IBucket }),
      lifecycleRules: [
        {
          // Parts of an export that failed half way are no object and cost money unseen.
          id: 'AbortIncompleteUploads',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
        {
          // The page on the archive is put after each run.
          id: 'ExpireOldPages',
          tagFilters: { [PAGE_TAG.key]: PAGE_TAG.value },
          noncurrentVersionExpiration: Duration.days(30),
        },
        // By tag and not by prefix: data/ comes behind database, schema, table and period in a key, and a rule's prefix
        // knows no wildcards. The tag also keeps back what was never proven.
        ...(transitions.length === 0 ? [] : [{ id: 'MoveProvenData', tagFilters: provenData, transitions }]),
        ...(expiry === undefined ? [] : expiryRules(expiry)),
      ],
    });
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

/**
 * Manifests name versions, so that noncurrent ones stay, unless it is configured otherwise: the configuration sees to it
 * that none goes before its time, even if it was written over.
 */
function expiryRules({ days, deleteVersionsAfterDays }: ArchiveExpiry): s3.LifecycleRule[] {
  const versions =
    deleteVersionsAfterDays === undefined
      ? {}
      : { noncurrentVersionExpiration: Duration.days(deleteVersionsAfterDays) };
  const rule = (id: string, { key, value }: typeof PROVEN_TAG | typeof COPY_TAG): s3.LifecycleRule => ({
    id,
    tagFilters: { [key]: value },
    expiration: Duration.days(days),
    ...versions,
  });
  return [
    rule('ExpireProvenData', PROVEN_TAG),
    rule('ExpireCopies', COPY_TAG),
    // Only markers that nothing lies under.
    ...(deleteVersionsAfterDays === undefined
      ? []
      : [{ id: 'TidyDeleteMarkers', expiredObjectDeleteMarker: true }]),
  ];
}

function transitionsOf(tiers: StorageTiers): s3.Transition[] {
  const steps: [Duration | undefined, s3.StorageClass][] = [
    [tiers.standardIa, s3.StorageClass.INFREQUENT_ACCESS],
    [tiers.glacierInstantRetrieval, s3.StorageClass.GLACIER_INSTANT_RETRIEVAL],
    [tiers.glacierFlexibleRetrieval, s3.StorageClass.GLACIER],
    [tiers.glacierDeepArchive, s3.StorageClass.DEEP_ARCHIVE],
  ];
  return steps.flatMap(([transitionAfter, storageClass]) =>
    transitionAfter === undefined ? [] : [{ transitionAfter, storageClass }],
  );
}

/**
 * Throws where the ARN of a key is that of an alias, as `kms.Alias.fromAliasName()` has it: S3 encrypts with it, but a policy whose
 * resource is an alias allows nothing with its key.
 *
 * Source: "Specifying KMS keys in IAM policy statements", AWS Key Management Service Developer Guide.
 */
function refuseAliases(keyArns: readonly unknown[]): void {
  const aliases = keyArns.map((keyArn) => JSON.stringify(keyArn)).filter((arn) => arn.includes(':alias/'));
  if (aliases.length === 0) return;
  throw new Error(
    `${aliases.join(', ')} is an alias, and IAM policies need the key of the archive itself: give the kms.Key that the alias is of, or kms.Key.fromLookup() or fromKeyArn()`,
  );
}
