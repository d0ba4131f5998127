import { expect, test } from '@jest/globals';
import { archiveClient, objectStore } from '../../../lambdas/runtime/store.ts';

const settings = {
  archiver: 'test',
  databaseHost: 'proxy.example',
  databasePort: 5432,
  databaseName: 'shop',
  formerNames: [],
  login: { secretArn: 'arn:secret' },
  archiveBucket: 'archive',
  region: 'eu-central-1',
};

test('one client serves every event of a process, on the configured bucket and no other one', async () => {
  const store = objectStore(settings);
  expect([store.bucket, store.region]).toEqual(['archive', 'eu-central-1']);
  const client = archiveClient(settings);
  expect(archiveClient(settings)).toBe(client);
  expect(await client.config.region()).toBe('eu-central-1');
  client.destroy();
});
