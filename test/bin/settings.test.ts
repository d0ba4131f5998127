import { expect, test } from '@jest/globals';
import { readCommandSettings } from '../../bin/archive/settings.ts';

// Seen to fail with the values as they are: the empty text was sent to S3 as the owner of the bucket.
test('an empty variable is one that is not set', () => {
  const empty = { PGSSLROOTCERT: '', ARCHIVE_BUCKET_OWNER: '', AWS_ENDPOINT_URL_S3: '' };
  expect(readCommandSettings(empty, {}).settings).toMatchObject({
    sslRootCert: undefined,
    bucketOwner: undefined,
    s3Endpoint: undefined,
  });
});
