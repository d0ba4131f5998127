/** The store of copies on the local gateway, and what S3 itself returns, played. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeS3Client } from '../../../adapters/s3/client.ts';
import { s3CopyStore } from '../../../adapters/s3/copy-store.ts';
import type { CopyStore } from '../../../core/query/convert.ts';
import { useDirectory } from '../../support/parquet-copy.ts';
import { makeBucket } from '../../support/s3.ts';
import { stack } from '../../support/stack.ts';

const directory = useDirectory();
const BODY = Buffer.from('PAR1 and so on');
const sha256 = createHash('sha256').update(BODY).digest('hex');
const OTHER = createHash('sha256').update('another').digest('hex');
const contents = { bytes: BODY.length, sha256 };

beforeAll(() => {
  writeFileSync(join(directory(), 'file'), BODY);
});

describe('on the local gateway', () => {
  let client: S3Client;
  let store: CopyStore;
  beforeAll(async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = stack().s3;
    client = makeS3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
    store = s3CopyStore(client, await makeBucket(client, 'copy-store'), region, directory());
  });
  afterAll(() => {
    client.destroy();
  });

  test('a file comes back byte for byte, with its version, its length and its SHA-256', async () => {
    const key = 'db/public/a!20b/202101/query/id/20261129T120000Z-u1/0.parquet';
    const put = await store.createFromFile(key, 'file', contents);
    if (put === 'exists') throw new Error('it was not there before');
    expect(put).toEqual({ key, versionId: expect.any(String), bytes: BODY.length });
    expect(Buffer.concat(await Array.fromAsync(store.read(key, put.versionId)))).toEqual(BODY);
    expect(await store.currentFile(key)).toEqual({ ...put, sha256 });
    await expect(store.currentFile('not/there')).rejects.toMatchObject({ code: 'ObjectMissing' });
  });

  // Ceph's gateway compares checksums from version 19 on, and takes `If-None-Match` in buckets with versions from 20 on: these
  // two say so if it does. What S3 returns is played below.
  test.failing('a file with another SHA-256 is refused, and nothing is there', async () => {
    await expect(store.createFromFile('wrong', 'file', { ...contents, sha256: OTHER })).rejects.toMatchObject(
      { code: 'ObjectStoreDenied' },
    );
    expect(await store.list('wrong')).toEqual([]);
  });

  test.failing('a key that is there is not written over', async () => {
    const first = await store.createFromFile('twice', 'file', contents);
    expect(await store.createFromFile('twice', 'file', contents)).toBe('exists');
    expect(await store.list('twice')).toEqual([first]);
  });
});

describe('S3', () => {
  /** A file put to a server that returns this error. */
  async function putTo(status: number, code: string) {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      request.resume().on('end', () => {
        response.writeHead(status, { 'content-type': 'application/xml' });
        response.end(`<Error><Code>${code}</Code><Message>m</Message></Error>`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = makeS3Client({
      region: 'eu-central-1',
      endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    });
    try {
      const store = s3CopyStore(client, 'bucket', 'eu-central-1', directory());
      const result = await store.createFromFile('key', 'file', contents).catch((error: unknown) => error);
      return { result, headers: seen[0] };
    } finally {
      client.destroy();
      server.closeAllConnections();
      server.close();
    }
  }

  test('is told the SHA-256, by which algorithm, and that the key must not be there', async () => {
    const { headers } = await putTo(400, 'BadDigest');
    expect(headers).toMatchObject({
      'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
      'x-amz-sdk-checksum-algorithm': 'SHA256',
      'if-none-match': '*',
      'content-length': String(BODY.length),
    });
  });

  test('that receives other bytes refuses them', async () => {
    expect((await putTo(400, 'BadDigest')).result).toMatchObject({
      code: 'ObjectStoreDenied',
      message: 'writing key: S3 returned BadDigest (400)',
    });
  });

  test('that has an object there is no error, and nothing is written', async () => {
    expect((await putTo(412, 'PreconditionFailed')).result).toBe('exists');
  });
});
