import { spawn } from 'node:child_process';
import { BENCH, type Environment } from './environment.ts';

/**
 * Runs a script of bash as a person would type it, with libpq's variables set for the server itself, not the pooler,
 * and `s3 <key> [curl's arguments]` for a signed request. Returns what it wrote to stdout.
 */
export async function shell({ stack, directory }: Environment, script: string): Promise<string> {
  const { postgres, s3 } = stack;
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `${S3_FUNCTION}\n${script}`], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      PGHOST: postgres.host,
      PGPORT: String(postgres.port),
      PGUSER: postgres.superuser.user,
      PGPASSWORD: postgres.superuser.password,
      PGDATABASE: BENCH.database,
      // It is on loopback for the archiver's pooler too, but there TLS is demanded.
      PGSSLMODE: 'disable',
      S3: `${s3.endpoint}/${BENCH.bucket}`,
      S3_USER: `${s3.accessKeyId}:${s3.secretAccessKey}`,
      BUCKET: BENCH.bucket,
      REGION: s3.region,
    },
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString().trim());
      else
        reject(new Error(`exit status ${code ?? 'none'} of: ${script}\n${Buffer.concat(errors).toString()}`));
    });
  });
}

const S3_FUNCTION = `s3() { local key=$1; shift
  curl -sS --fail --noproxy '*' --aws-sigv4 "aws:amz:$REGION:s3" --user "$S3_USER" \\
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "$S3/$key"; }`;
