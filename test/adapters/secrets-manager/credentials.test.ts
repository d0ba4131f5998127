import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { readCredentials } from '../../../adapters/secrets-manager/credentials.ts';
import { stack } from '../../support/stack.ts';

const connectTo = (endpoint: string, maxAttempts = 3): SecretsManagerClient =>
  new SecretsManagerClient({
    endpoint,
    maxAttempts,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });

const client = connectTo(stack().secrets.endpoint);
afterAll(() => {
  client.destroy();
});

async function put(SecretString: string): Promise<string> {
  const arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${randomUUID()}`;
  await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString }));
  return arn;
}

test('user and password of the role, and nothing else that RDS writes into its secrets', async () => {
  const arn = await put(
    '{"username":"archiver_read","password":"p\\u00fc\\"","engine":"postgres","port":5432}',
  );
  expect(await readCredentials(client, arn)).toEqual({ username: 'archiver_read', password: 'pü"' });
});

test('a rotated secret is found by the next try', async () => {
  const arn = await put('{"username":"u","password":"old"}');
  await readCredentials(client, arn);
  await client.send(
    new PutSecretValueCommand({ SecretId: arn, SecretString: '{"username":"u","password":"new"}' }),
  );
  expect(await readCredentials(client, arn)).toMatchObject({ password: 'new' });
});

// Seen to fail with the parser's own message, which quotes what it could not read.
test.each([
  'the-password-itself',
  '{"username":"u","password":"hunter2"',
  '{"password":"hunter2"}',
  '{"username":"","password":"hunter2"}',
  '{"username":"u","password":""}',
  '{"username":"u","password":12345}',
  '["u","hunter2"]',
  'null',
])('a secret that is none is refused, and never shown: %s', async (secret) => {
  const arn = await put(secret);
  const failure = await readCredentials(client, arn).catch((error: unknown) => error as Error);
  expect(failure).toMatchObject({
    code: 'InvalidConfiguration',
    message: `secret ${arn} is no JSON with username and password`,
  });
  expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/hunter2|the-password/);
});

test('a secret that there is none of is a mistake, and not tried again', async () => {
  await expect(readCredentials(client, 'arn:nobody')).rejects.toMatchObject({
    code: 'InvalidConfiguration',
    retryable: false,
    message: 'reading secret arn:nobody: ResourceNotFoundException',
  });
});

describe('a service that fails', () => {
  let server: Server | undefined;
  let other: SecretsManagerClient | undefined;

  async function clientAnswered(status: number, body: unknown): Promise<SecretsManagerClient> {
    server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    other = connectTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1);
    return other;
  }

  afterEach(async () => {
    other?.destroy();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  test.each<[number, string, string]>([
    [400, 'AccessDeniedException', 'InvalidConfiguration'],
    [400, 'ThrottlingException', 'DatabaseUnavailable'],
    [500, 'InternalServiceError', 'DatabaseUnavailable'],
    [400, 'DecryptionFailure', 'DatabaseUnavailable'],
  ])('%s %s is %s', async (status, type, code) => {
    const failing = await clientAnswered(status, {
      __type: type,
      Message: 'a message that names the account',
    });
    await expect(readCredentials(failing, 'arn:x')).rejects.toMatchObject({
      code,
      message: `reading secret arn:x: ${type}`,
    });
  });

  test('a secret in binary is none of ours', async () => {
    const binary = await clientAnswered(200, { ARN: 'arn:x', SecretBinary: 'AAAA' });
    await expect(readCredentials(binary, 'arn:x')).rejects.toMatchObject({ code: 'InvalidConfiguration' });
  });

  test('no answer at all is tried again', async () => {
    const gone = await clientAnswered(200, {});
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    await expect(readCredentials(gone, 'arn:x')).rejects.toMatchObject({
      code: 'DatabaseUnavailable',
      retryable: true,
      message: 'no answer from Secrets Manager about arn:x',
    });
  });
});
