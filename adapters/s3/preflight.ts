import {
  GetBucketVersioningCommand,
  HeadBucketCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { PreflightProblem } from '../../core/preflight.ts';
import { translate } from './errors.ts';

/** What would make a run fail in this bucket: it is not there, elsewhere, not ours, or keeps no versions. */
export async function bucketProblems(
  client: S3Client,
  bucket: string,
  region: string,
): Promise<PreflightProblem[]> {
  const subject = `bucket ${bucket}`;
  let location: string | undefined;
  try {
    location = (await client.send(new HeadBucketCommand({ Bucket: bucket }))).BucketRegion;
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 404)
      return [{ subject, problem: 'does not exist', remedy: 'Correct ARCHIVE_BUCKET, or deploy the stack.' }];
    if (status === 403)
      return [
        { subject, problem: 'may not be read', remedy: 'Let this role list the bucket (s3:ListBucket).' },
      ];
    // S3 answers a request to the wrong region with a redirect that HEAD cannot follow.
    if (status === 301 || status === 400) {
      return [
        {
          subject,
          problem: `is not in region ${region}`,
          remedy: 'aws_s3 exports only within the region of the database.',
        },
      ];
    }
    throw translate(error, `looking at ${subject}`);
  }
  if (location !== undefined && location !== '' && location !== region) {
    const remedy = 'aws_s3 exports only within the region of the database: use a bucket there.';
    return [{ subject, problem: `is in region ${location}, not in ${region}`, remedy }];
  }
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }));
    if (Status === 'Enabled') return [];
  } catch (error) {
    throw translate(error, `looking at ${subject}`);
  }
  const remedy = `aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled`;
  return [
    { subject, problem: 'keeps no versions, so an archive could be overwritten without a trace', remedy },
  ];
}
