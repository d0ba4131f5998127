import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { ArchiverError } from '../../../core/errors.ts';

/** What a verifier is made with, besides the password. */
export interface ScramOptions {
  readonly salt?: Buffer;
  /** 4,096, what PostgreSQL itself uses by default (`scram_iterations`), unless given. */
  readonly iterations?: number;
}

/**
 * What `alter role … password` stores for a password, so that the password itself is neither sent nor written into the
 * server's log. The way psql's `\password` does it. `InvalidConfiguration` where the password of `role` is empty or not ASCII.
 */
export function scramVerifier(
  role: string,
  password: string,
  { salt = randomBytes(16), iterations = 4096 }: ScramOptions = {},
): string {
  // Others would have to be normalised first (SASLprep); those that AWS generates are ASCII.
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new ArchiverError(
      'InvalidConfiguration',
      `the password of ${role} is empty or has characters that are not ASCII: change it in the secret of the role, or in its variable`,
    );
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${String(iterations)}:${salt.toString('base64')}$${stored}:${key('Server Key').toString('base64')}`;
}
