import {
  HeadObjectCommand,
  RestoreObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isCold, type CopyRequest, type Storage } from '../../core/archive-store.ts';
import { ArchiverError } from '../../core/errors.ts';

/** Where one version lies, as HeadObject says. */
export async function storageOf(client: S3Client, which: HeadObjectCommandInput): Promise<Storage> {
  const head = await client.send(new HeadObjectCommand(which));
  if (head.DeleteMarker === true) throw new ArchiverError('ObjectMissing', `${which.Key ?? ''} was deleted`);
  // S3 leaves the header out for Standard.
  return { storageClass: head.StorageClass ?? 'STANDARD', state: stateOf(head) };
}

/**
 * An object in a Glacier tier has `x-amz-restore: ongoing-request="true"` while a copy is made, `ongoing-request="false",
 * expiry-date="…"` while there is one, and no such header otherwise
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html). In the archive tiers of Intelligent-Tiering it
 * has `x-amz-archive-status`, until S3 has moved it back.
 */
function stateOf({ StorageClass, ArchiveStatus, Restore }: HeadObjectCommandOutput): Storage['state'] {
  const isArchived = isCold(StorageClass ?? '') || ArchiveStatus !== undefined;
  if (!isArchived) return 'readable';
  if (Restore?.includes('ongoing-request="true"') === true) return 'requested';
  return Restore?.includes('ongoing-request="false"') === true ? 'readable' : 'archived';
}

/** Asks for a readable copy; that one is being made already is no error. */
export async function requestCopy(
  client: S3Client,
  which: { readonly Bucket: string; readonly Key: string; readonly VersionId: string },
  { tier, days }: CopyRequest,
): Promise<void> {
  const RestoreRequest = { ...(days !== null && { Days: days }), GlacierJobParameters: { Tier: tier } };
  try {
    await client.send(new RestoreObjectCommand({ ...which, RestoreRequest }));
  } catch (error) {
    if (error instanceof Error && error.name === 'RestoreAlreadyInProgress') return;
    throw error;
  }
}
