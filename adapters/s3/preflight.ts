import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import { COPY_TAG, PROVEN_TAG } from '../../core/config/proven-tag.ts';
import type { Expiry } from '../../core/config/runtime.ts';
import type { PreflightProblem } from '../../core/archive/preflight.ts';
import { coldMoveBy, deletionBy, hasTag } from './lifecycle.ts';
import { translate } from './errors.ts';

/** What an archive expects of its bucket. */
export interface BucketExpectations {
  readonly region: string;
  /** What the keys of the archive begin with. */
  readonly prefix: string;
  /** Whether objects are to be locked. */
  readonly locked: boolean;
  /** Days that text stays where it can be read at once, since Parquet copies are made of it; without copies none. */
  readonly readableDays?: number | undefined;
  /** When proven data may expire; without it never. */
  readonly expiry?: Expiry | undefined;
}

/**
 * What would make a run fail in this bucket, or lose an archive later: it is not there, elsewhere, not ours, keeps no
 * versions, knows no locks though archives are to be locked, or has a lifecycle that deletes.
 */
export async function bucketProblems(
  client: S3Client,
  bucket: string,
  expected: BucketExpectations,
): Promise<PreflightProblem[]> {
  const { region, locked } = expected;
  const unreachable = await reachProblem(client, bucket, region);
  if (unreachable !== null) return [unreachable];
  try {
    const [lifecycle, ...found] = await Promise.all([
      lifecycleProblems(client, bucket, expected),
      versioningProblem(client, bucket),
      locked ? lockProblem(client, bucket) : null,
    ]);
    return [...found.filter((problem) => problem !== null), ...lifecycle];
  } catch (error) {
    throw translate(error, `looking at bucket ${bucket}`);
  }
}

async function reachProblem(
  client: S3Client,
  bucket: string,
  region: string,
): Promise<PreflightProblem | null> {
  const subject = `bucket ${bucket}`;
  let location: string | undefined;
  try {
    location = (await client.send(new HeadBucketCommand({ Bucket: bucket }))).BucketRegion;
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 404)
      return { subject, problem: 'does not exist', remedy: 'Correct ARCHIVE_BUCKET, or deploy the stack.' };
    if (status === 403)
      return {
        subject,
        problem: 'may not be read',
        remedy:
          'Let this role list the bucket (s3:ListBucket). The bucket must belong to the account of the stack.',
      };
    // S3 redirects a request to the wrong region, and HEAD cannot follow.
    if (status === 301 || status === 400) {
      return {
        subject,
        problem: `is not in region ${region}`,
        remedy: 'aws_s3 exports only within the region of the database.',
      };
    }
    throw translate(error, `looking at ${subject}`);
  }
  if (location !== undefined && location !== '' && location !== region) {
    const remedy = 'aws_s3 exports only within the region of the database: use a bucket there.';
    return { subject, problem: `is in region ${location}, not in ${region}`, remedy };
  }
  return null;
}

async function versioningProblem(client: S3Client, bucket: string): Promise<PreflightProblem | null> {
  const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }));
  if (Status === 'Enabled') return null;
  return {
    subject: `bucket ${bucket}`,
    problem: 'keeps no versions, so an archive could be overwritten without a trace',
    remedy: `aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`,
  };
}

async function lockProblem(client: S3Client, bucket: string): Promise<PreflightProblem | null> {
  const answer = await orNone(
    client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket })),
    'ObjectLockConfigurationNotFoundError',
  );
  if (answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') return null;
  return {
    subject: `bucket ${bucket}`,
    problem: 'has no Object Lock, but archives are to be locked (retention)',
    remedy: `aws s3api put-object-lock-configuration --bucket ${bucket} --object-lock-configuration ObjectLockEnabled=Enabled`,
  };
}

async function lifecycleProblems(
  client: S3Client,
  bucket: string,
  { prefix, expiry, readableDays }: BucketExpectations,
): Promise<PreflightProblem[]> {
  const answer = await orNone(
    client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })),
    'NoSuchLifecycleConfiguration',
  );
  const subject = `bucket ${bucket}`;
  return (answer?.Rules ?? []).flatMap((rule) => {
    const name = `its lifecycle rule ${JSON.stringify(rule.ID ?? '')}`;
    const deletion = deletionBy(rule, prefix, expiry);
    const ofCopies = hasTag(rule) ? deletionBy(rule, prefix, expiry, COPY_TAG) : null;
    const move = coldMoveBy(rule, prefix, readableDays);
    return [
      ...(deletion === null
        ? []
        : [
            {
              subject,
              problem: `${name} deletes ${deletion}, archives under ${prefix} among them`,
              remedy:
                expiry === undefined
                  ? 'Limit the rule to other prefixes, or give the archiver a bucket of its own.'
                  : `Limit the rule to other prefixes, or to the tag ${PROVEN_TAG.key}=${PROVEN_TAG.value} and to what archive.expiry says.`,
            },
          ]),
      ...(ofCopies === null
        ? []
        : [
            {
              subject,
              problem: `${name} deletes ${ofCopies}, Parquet copies under ${prefix} among them: queries would miss their rows`,
              remedy: 'Limit the rule to other prefixes, or to what archive.expiry says.',
            },
          ]),
      ...(move === null
        ? []
        : [
            {
              subject,
              problem: `${name} moves ${move} under ${prefix}, where S3 hands out nothing at once`,
              remedy: `Limit the rule to the tag ${PROVEN_TAG.key}=${PROVEN_TAG.value}, and to ${readableDays ?? 0} days or more.`,
            },
          ]),
    ];
  });
}

/** S3 reports a missing configuration as an error. */
async function orNone<T>(sent: Promise<T>, errorName: string): Promise<T | undefined> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === errorName) return undefined;
    throw error;
  }
}
