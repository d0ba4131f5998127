import { randomUUID } from 'node:crypto';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type postgres from 'postgres';
import type { DatabaseRole } from '../../bin/archive/steps.ts';
import type { Steps } from '../../core/archive/run.ts';

/** As which role each step logs in, and so whose secret its Lambda reads first. */
export const ROLE_OF: Readonly<Record<keyof Steps, DatabaseRole>> = {
  preflight: 'archiver_read',
  maintain: 'archiver_maintain',
  detect: 'archiver_maintain',
  quarantine: 'archiver_maintain',
  export: 'archiver_read',
  verify: 'archiver_read',
  commit: 'archiver_read',
  drop: 'archiver_drop',
  recordFailure: 'archiver_read',
  report: 'archiver_read',
};

const ROLES = [...new Set(Object.values(ROLE_OF))];

/** The secrets of the database roles; each bench has its own, with the same passwords. */
export class RoleSecrets {
  readonly arns: Readonly<Record<DatabaseRole, string>>;
  readonly #client: SecretsManagerClient;

  private constructor(endpoint: string, name: string) {
    this.#client = makeSecretsClient(endpoint);
    this.arns = Object.fromEntries(
      ROLES.map((role) => [role, `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}/${role}`]),
    ) as Record<DatabaseRole, string>;
  }

  static async make(endpoint: string, name: string, password: string): Promise<RoleSecrets> {
    const secrets = new RoleSecrets(endpoint, name);
    await secrets.#put(password);
    return secrets;
  }

  /** As rotation does: another password in the database and in the secret. Roles belong to the whole server. */
  async rotate(sql: postgres.Sql): Promise<void> {
    const password = randomUUID();
    for (const role of ROLES) await sql.unsafe(`alter role ${role} password '${password}'`);
    await this.#put(password);
  }

  close(): void {
    this.#client.destroy();
  }

  async #put(password: string): Promise<void> {
    for (const role of ROLES) {
      const SecretString = JSON.stringify({ username: role, password });
      await this.#client.send(new PutSecretValueCommand({ SecretId: this.arns[role], SecretString }));
    }
  }
}

/** A client that gives up as soon as the one for S3. */
export function makeSecretsClient(endpoint: string): SecretsManagerClient {
  return new SecretsManagerClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 2,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
}
