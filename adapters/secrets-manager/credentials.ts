import {
  GetSecretValueCommand,
  type SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { ArchiverError } from '../../core/errors.ts';

const secretSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** User and password of a database role. */
export type DatabaseCredentials = z.output<typeof secretSchema>;

/**
 * Reads the secret of a database role: JSON with `username` and `password`, as RDS Proxy wants it. It is read again at
 * each call, so that a rotated one is found by the next try.
 */
export async function readCredentials(
  client: SecretsManagerClient,
  arn: string,
): Promise<DatabaseCredentials> {
  const secret = await readSecret(client, arn);
  let json: unknown;
  try {
    json = JSON.parse(secret);
  } catch {
    json = undefined;
  }
  const parsed = secretSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ArchiverError('InvalidConfiguration', `secret ${arn} is no JSON with username and password`);
}

async function readSecret(client: SecretsManagerClient, arn: string): Promise<string> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return SecretString ?? '';
  } catch (error) {
    if (!(error instanceof SecretsManagerServiceException)) {
      throw new ArchiverError('DatabaseUnavailable', `no answer from Secrets Manager about ${arn}`);
    }
    const final = error.name === 'ResourceNotFoundException' || error.name === 'AccessDeniedException';
    throw new ArchiverError(
      final ? 'InvalidConfiguration' : 'DatabaseUnavailable',
      `reading secret ${arn}: ${error.name}`,
    );
  }
}
