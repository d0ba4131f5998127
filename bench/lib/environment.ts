import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import postgres from 'postgres';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { LOGIN_ROLES, type LoginRole } from '../../core/setup/prepare-database.ts';
import { startLocalStack, type LocalStack } from '../../local/stack.ts';

/** Names that the whole run uses. */
export const BENCH = { database: 'bench', bucket: 'bench-archive', password: 'for-the-bench-only' } as const;

/** What the cases measure on. */
export interface Environment {
  readonly stack: LocalStack;
  /** A folder of this run's own, gone at its end. */
  readonly directory: string;
  /** A superuser's connection, not through the pooler. */
  readonly sql: postgres.Sql;
  readonly s3: S3Client;
  /** A connection through the pooler, as the Lambdas have it. */
  readonly open: (role: LoginRole, notices?: string[]) => Connection;
  /** Divides sizes and rounds: for a look at whether everything works. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
  readonly stop: () => Promise<void>;
}

/** Starts a local stack with a database that has pg_partman, aws_s3 and the archiver, and an archive bucket. */
export async function startEnvironment(quick: boolean, say: (line: string) => void): Promise<Environment> {
  const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-bench-'));
  // The server's account must be able to go in: otherwise its files lie elsewhere, and nobody removes them.
  chmodSync(directory, 0o755);
  const stack = await startLocalStack({ directory, objectStore: 'memory', log: () => undefined });
  try {
    return await prepare(stack, directory, quick, say);
  } catch (error) {
    await stack.stop();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function prepare(
  stack: LocalStack,
  directory: string,
  quick: boolean,
  say: (line: string) => void,
): Promise<Environment> {
  const { host, port, superuser } = stack.postgres;
  const superuserOf = (database: string, max: number): postgres.Sql =>
    postgres({
      host,
      port,
      username: superuser.user,
      password: superuser.password,
      database,
      max,
      connection: { TimeZone: 'UTC' },
      onnotice: () => undefined,
    });
  const admin = superuserOf('postgres', 1);
  // Its work would count as the server's CPU, at moments of its own choice.
  await admin`alter system set autovacuum = off`;
  await admin`select pg_reload_conf()`;
  await admin.unsafe(`create database ${BENCH.database}`);
  await admin.end();

  const sql = superuserOf(BENCH.database, 2);
  await sql`create schema partman`;
  await sql`create extension pg_partman schema partman`;
  await sql`create extension aws_s3 cascade`;
  await installArchiver(sql);
  for (const role of LOGIN_ROLES) await sql.unsafe(`alter role ${role} password '${BENCH.password}'`);

  const s3 = makeS3Client({ ...stack.s3, credentials: stack.s3 });
  await s3.send(new CreateBucketCommand({ Bucket: BENCH.bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: BENCH.bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );

  const tls = { ca: readFileSync(stack.pooler.caFile, 'utf8') };
  return {
    stack,
    directory,
    sql,
    s3,
    quick,
    say,
    open: (user, notices = []) =>
      connect(
        {
          host: stack.pooler.host,
          port: stack.pooler.port,
          database: BENCH.database,
          user,
          tls,
          password: BENCH.password,
          applicationName: 'bench',
        },
        (notice) => notices.push(notice),
      ),
    stop: async () => {
      s3.destroy();
      await sql.end({ timeout: 5 });
      await stack.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
