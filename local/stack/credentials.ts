import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The secrets of one stack; made once for each directory, so that a restarted stack keeps them. */
export interface StackCredentials {
  readonly superuserPassword: string;
  readonly poolerPassword: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly clusterId: string;
}

/** Reads the secrets of a stack's directory, or makes them. Only the owner of the directory may read them. */
export function ensureCredentials(directory: string): StackCredentials {
  const file = join(directory, 'credentials.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as StackCredentials;
  const secret = (): string => randomBytes(18).toString('hex');
  const credentials: StackCredentials = {
    superuserPassword: secret(),
    poolerPassword: secret(),
    accessKeyId: 'LOCALSTACKACCESSKEY1',
    secretAccessKey: secret(),
    clusterId: randomUUID(),
  };
  writeFileSync(file, JSON.stringify(credentials), { mode: 0o600 });
  return credentials;
}
