import { randomUUID } from 'node:crypto';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, test } from '@jest/globals';
import { stack } from '../support/stack.ts';

const client = new SecretsManagerClient({
  endpoint: stack().secrets.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});

afterAll(() => {
  client.destroy();
});

describe('the Secrets Manager stub', () => {
  test('returns what was put under an ARN', async () => {
    const arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${randomUUID()}`;
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: '{"password":"p"}' }));
    const answer = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    expect(answer).toMatchObject({ ARN: arn, SecretString: '{"password":"p"}' });
  });

  test('does not know a secret that was never put', async () => {
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('refuses what it does not play', async () => {
    await expect(client.send(new ListSecretsCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });
});
