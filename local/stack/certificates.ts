import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToServiceAccount, requireProgram, run } from './commands.ts';

/** The TLS files of a stack: clients are given the authority, servers the certificate and its key. */
export interface Certificates {
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Long enough that a kept stack directory never meets its end. */
const DAYS = '3650';

/**
 * Makes a certificate authority of the stack's own and a server certificate for 127.0.0.1 and localhost.
 *
 * A self-signed server certificate would be simpler, but a client that verifies it as AWS's is verified
 * (authority file, host name checked) needs an authority.
 */
export async function ensureCertificates(directory: string): Promise<Certificates> {
  const files: Certificates = {
    authorityFile: join(directory, 'authority.pem'),
    certificateFile: join(directory, 'server.pem'),
    keyFile: join(directory, 'server.key'),
  };
  // Written last: its existence says that the rest is complete.
  const done = join(directory, 'complete');
  if (existsSync(done)) return files;

  await mkdir(directory, { recursive: true });
  const openssl = requireProgram('openssl', 'openssl');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', DAYS];
  const authorityKey = join(directory, 'authority.key');
  await run([
    openssl,
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=partition-archiver local authority',
    '-keyout',
    authorityKey,
    '-out',
    files.authorityFile,
  ]);
  const request = join(directory, 'server.csr');
  await run([
    openssl,
    'req',
    ...key.slice(0, 5),
    '-subj',
    '/CN=localhost',
    '-keyout',
    files.keyFile,
    '-out',
    request,
  ]);
  const names = join(directory, 'server.ext');
  await writeFile(names, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  await run([
    openssl,
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    files.authorityFile,
    '-CAkey',
    authorityKey,
    '-CAcreateserial',
    '-days',
    DAYS,
    '-extfile',
    names,
    '-out',
    files.certificateFile,
  ]);
  await chmod(files.keyFile, 0o600);
  await writeFile(done, '');
  await giveToServiceAccount(directory);
  await chmod(directory, 0o755);
  return files;
}
