import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import postgres from 'postgres';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { loadFlights } from '../sample/flights.ts';
import type { LocalStack, StackCoordinates } from '../stack.ts';

/** Names of the demonstration's databases and bucket. */
export const DEMO = {
  database: 'flights',
  reference: 'reference',
  scratch: 'scratch',
  bucket: 'archive',
} as const;

/** Seven months of flights, of which four are older than this. */
const OLDEST_MONTHS_AGO = 16;
const RETENTION = '12 months';

/** How far an earlier start came; a file beside the stack's data. */
type Stage = 'new' | 'loaded' | 'checked';

/** Reads how far an earlier start came. */
export function readStage(directory: string): Stage {
  const file = join(directory, 'stage');
  return existsSync(file) ? (readFileSync(file, 'utf8') as Stage) : 'new';
}

/** Remembers how far this start came, so that the next one continues from there after a kill. */
export function writeStage(directory: string, stage: Stage): void {
  writeFileSync(join(directory, 'stage'), stage);
}

/** Forgets an earlier start that came to its end, or that was killed before its data was there. */
export function forget(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** A superuser's connection to one of the databases, not through the pooler. */
function asSuperuser({ postgres: server }: StackCoordinates, database: string): postgres.Sql {
  const { user: username, password } = server.superuser;
  return postgres({
    host: server.host,
    port: server.port,
    username,
    password,
    database,
    max: 1,
    connection: { TimeZone: 'UTC' },
    onnotice: () => undefined,
  });
}

/** Runs `work` with a superuser's connection that is ended afterwards. */
export async function withDatabase<T>(
  stack: StackCoordinates,
  database: string,
  work: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = asSuperuser(stack, database);
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Makes database, sample data and bucket, and a copy of the database to compare with at the end. */
export async function load(stack: LocalStack, onProgress: (rows: number) => void): Promise<void> {
  await withDatabase(stack, 'postgres', async (sql) => {
    await sql`drop database if exists ${sql(DEMO.database)} with (force)`;
    await sql`drop database if exists ${sql(DEMO.reference)} with (force)`;
    await sql`create database ${sql(DEMO.database)}`;
  });
  await withDatabase(stack, DEMO.database, async (sql) => {
    await sql`create schema partman`;
    await sql`create extension pg_partman schema partman`;
    await sql`create extension aws_s3 cascade`;
    await installArchiver(sql);
    await loadFlights(sql, { oldestMonthsAgo: OLDEST_MONTHS_AGO, retention: RETENTION, onProgress });
  });
  await withDatabase(stack, 'postgres', async (sql) => {
    await sql`create database ${sql(DEMO.reference)} template ${sql(DEMO.database)}`;
  });
  const s3 = makeS3Client({ ...stack.s3, credentials: stack.s3 });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: DEMO.bucket }));
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: DEMO.bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  } finally {
    s3.destroy();
  }
}

/** Gives each database role a new password and puts it where its Lambdas look for it. */
export async function giveSecrets(
  stack: LocalStack,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await withDatabase(stack, DEMO.database, async (sql) => {
    for (const [role, arn] of Object.entries(secrets)) {
      const password = randomBytes(24).toString('base64url');
      await sql.unsafe(`alter role ${role} password '${password}'`);
      stack.putSecret(arn, { username: role, password });
    }
  });
}
