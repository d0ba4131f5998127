/** The account that the bucket has to belong to, in every call that the adapters make. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeS3Client } from '../../../adapters/s3/client.ts';

const ADAPTERS = join(import.meta.dirname, '../../../adapters/s3');
const COMMANDS = [
  ...new Set(
    readdirSync(ADAPTERS).flatMap((file) =>
      [...readFileSync(join(ADAPTERS, file), 'utf8').matchAll(/new (\w+Command)\(/g)].map(
        ([, name = '']) => name,
      ),
    ),
  ),
].sort();

/** What any of the commands asks for. */
const INPUT = {
  Bucket: 'archive',
  Key: 'shop/public/orders/202101/data/0.tsv',
  Body: 'text',
  VersionId: 'version',
  UploadId: 'upload',
  PartNumber: 1,
  MultipartUpload: { Parts: [] },
  Tagging: { TagSet: [] },
  Retention: {},
  RestoreRequest: { Days: 1 },
};

const owners: (string | undefined)[] = [];
const server = createServer((request, response) => {
  owners.push(request.headers['x-amz-expected-bucket-owner'] as string | undefined);
  response.end('<?xml version="1.0"?><Result/>');
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.close();
});

const send = async (name: string, owner: object): Promise<(string | undefined)[]> => {
  const { port } = server.address() as AddressInfo;
  const client = makeS3Client({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    ...owner,
  });
  const Command = (s3 as unknown as Record<string, new (input: object) => s3.GetObjectCommand>)[name];
  if (Command === undefined) throw new Error(`the SDK has no ${name}`);
  owners.length = 0;
  await client.send(new Command(INPUT));
  client.destroy();
  return [...owners];
};

// Seen to fail without `expectOwner` in adapters/s3/client.ts.
test.each(COMMANDS)('%s names it', async (name) => {
  expect(COMMANDS.length).toBeGreaterThan(10);
  expect(await send(name, { bucketOwner: '111122223333' })).toEqual(['111122223333']);
  expect(await send(name, {})).toEqual([undefined]);
});
