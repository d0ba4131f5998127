import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { authToken } from '../../adapters/rds/auth-token.ts';
import { readCredentials } from '../../adapters/secrets-manager/credentials.ts';
import type { Endpoint, Settings } from './settings.ts';

/** How a function logs in, wherever it connects to. */
export interface Login {
  readonly username: string;
  /** A password, or what makes a token for one endpoint. */
  readonly password: string | ((to: Endpoint) => Promise<string>);
}

/**
 * The login of this function: the secret of its database role, read again at each event; or its role's name, and a token
 * for each connection, signed with the credentials of the function.
 */
export function functionLogin({ login, region }: Settings): () => Promise<Login> {
  const client = new SecretsManagerClient({ region });
  if ('secretArn' in login) return () => readCredentials(client, login.secretArn);
  const { credentials, sha256 } = client.config;
  return async () => {
    // Where there are none, the event fails here, and not in the middle of the driver's handshake.
    await credentials();
    return {
      username: login.user,
      password: (to) => authToken({ ...to, user: login.user, region }, { credentials, sha256 }),
    };
  };
}
