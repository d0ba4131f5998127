/** What S3 says of objects in Glacier tiers, by its documentation: the local gateway has none. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import { s3ArchiveStore } from '../../../adapters/s3/archive-store.ts';
import { makeS3Client } from '../../../adapters/s3/client.ts';

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

let server: Server;
let client: S3Client;
let reply: Reply;
let requests: { method: string; url: string; body: string }[];

beforeAll(async () => {
  const answer = async (request: IncomingMessage): Promise<Reply> => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', body: await text(request) });
    return reply;
  };
  server = createServer((request, response) => {
    void answer(request).then(({ status, headers = {}, body = '' }) => {
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = makeS3Client({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const store = () => s3ArchiveStore(client, 'archive', 'eu-central-1');
const EXPIRY = 'expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"';

describe('where an object lies', () => {
  test.each<[string, Record<string, string>, string]>([
    ['Standard, which S3 leaves out', {}, 'readable'],
    ['Standard-IA', { 'x-amz-storage-class': 'STANDARD_IA' }, 'readable'],
    ['Glacier Instant Retrieval', { 'x-amz-storage-class': 'GLACIER_IR' }, 'readable'],
    ['Glacier', { 'x-amz-storage-class': 'GLACIER' }, 'archived'],
    ['Deep Archive', { 'x-amz-storage-class': 'DEEP_ARCHIVE' }, 'archived'],
    [
      'Glacier, and S3 is making a copy',
      { 'x-amz-storage-class': 'GLACIER', 'x-amz-restore': 'ongoing-request="true"' },
      'requested',
    ],
    [
      'Glacier, and there is a copy',
      { 'x-amz-storage-class': 'GLACIER', 'x-amz-restore': `ongoing-request="false", ${EXPIRY}` },
      'readable',
    ],
    ['Intelligent-Tiering', { 'x-amz-storage-class': 'INTELLIGENT_TIERING' }, 'readable'],
    [
      'an archive tier of Intelligent-Tiering',
      { 'x-amz-storage-class': 'INTELLIGENT_TIERING', 'x-amz-archive-status': 'DEEP_ARCHIVE_ACCESS' },
      'archived',
    ],
    [
      'the same, while it is restored',
      {
        'x-amz-storage-class': 'INTELLIGENT_TIERING',
        'x-amz-archive-status': 'ARCHIVE_ACCESS',
        'x-amz-restore': 'ongoing-request="true"',
      },
      'requested',
    ],
  ])('%s', async (_, headers, state) => {
    reply = { status: 200, headers };
    const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD';
    expect(await store().storage('a/b', 'v1')).toEqual({ storageClass, state });
    expect(requests).toMatchObject([{ method: 'HEAD', url: expect.stringContaining('versionId=v1') }]);
  });

  test('nowhere any more', async () => {
    reply = { status: 404 };
    await expect(store().storage('a/b', 'v1')).rejects.toMatchObject({ code: 'ObjectMissing' });
  });
});

describe('a readable copy', () => {
  test('is asked for by version, tier and days', async () => {
    reply = { status: 202 };
    await store().requestCopy('a/b', 'v1', { tier: 'Bulk', days: 3 });
    expect(requests).toMatchObject([{ method: 'POST', url: expect.stringMatching(/a\/b\?.*restore/) }]);
    expect(requests[0]!.url).toContain('versionId=v1');
    expect(requests[0]!.body).toContain('<Days>3</Days>');
    expect(requests[0]!.body).toContain('<Tier>Bulk</Tier>');
  });

  test('of Intelligent-Tiering has no days', async () => {
    reply = { status: 202 };
    await store().requestCopy('a/b', 'v1', { tier: 'Standard', days: null });
    expect(requests[0]!.body).not.toContain('Days');
  });

  const error = (code: string): string => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;

  test('that is being made already is no error', async () => {
    reply = { status: 409, body: error('RestoreAlreadyInProgress') };
    await store().requestCopy('a/b', 'v1', { tier: 'Bulk', days: 3 });
  });

  test.each([
    ['the role may not', 403, 'AccessDenied', 'ObjectStoreDenied'],
    ['Deep Archive knows no Expedited', 400, 'InvalidArgument', 'ObjectStoreDenied'],
  ])('is refused where %s', async (_, status, code, expected) => {
    reply = { status, body: error(code) };
    await expect(store().requestCopy('a/b', 'v1', { tier: 'Expedited', days: 1 })).rejects.toMatchObject({
      code: expected,
    });
  });
});
