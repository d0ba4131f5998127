import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type postgres from 'postgres';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { shellArgument } from '../../core/shell.ts';
import type { StackCoordinates } from '../stack.ts';
import { DEMO, withDatabase } from './environment.ts';

const RESTORE_SCHEMA = 'scratch';

/** What the local command is to work on. */
export interface KeptDatabase {
  readonly database: string;
  readonly bucket: string;
  /** Passwords of the archiver's roles. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** A file for `.` of a shell that has everything the local command (and psql) needs to work on a local stack. */
export function environmentFile(stack: StackCoordinates, kept: KeptDatabase): string {
  const { postgres, pooler, s3 } = stack;
  const passwords = Object.entries(kept.passwords).map(
    ([role, password]) => [`${role.toUpperCase()}_PASSWORD`, password] as const,
  );
  const variables: readonly (readonly [string, string])[] = [
    ['PGHOST', postgres.host],
    ['PGPORT', String(postgres.port)],
    ['PGDATABASE', kept.database],
    ['PGSSLMODE', 'verify-full'],
    ['PGSSLROOTCERT', pooler.caFile],
    ['PGUSER', postgres.superuser.user],
    ['PGPASSWORD', postgres.superuser.password],
    ['ARCHIVER_ADMIN_PASSWORD', postgres.superuser.password],
    ...passwords,
    ['ARCHIVE_BUCKET', kept.bucket],
    ['AWS_REGION', s3.region],
    ['AWS_ENDPOINT_URL_S3', s3.endpoint],
    ['AWS_ACCESS_KEY_ID', s3.accessKeyId],
    ['AWS_SECRET_ACCESS_KEY', s3.secretAccessKey],
  ];
  const lines = variables.map(([name, value]) => `export ${name}=${shellArgument(value)}\n`);
  return `# For the local command and psql, while the stack of "npm start -- --keep" is up.\n${lines.join('')}`;
}

/** Makes a schema that archives of `owner`'s tables can be restored into. */
export async function makeRestoreSchema(sql: postgres.Sql, schema: string, owner: string): Promise<void> {
  await sql.unsafe(`create schema if not exists ${schema} authorization ${owner}`);
  await registerOwner(sql, owner, [schema]);
  await sql.unsafe(`grant create on schema ${schema} to archiver_owner`);
}

/** Gives the archiver's login roles new passwords, and writes the files that the local command needs. */
export async function writeCommandFiles(
  stack: StackCoordinates,
  directory: string,
  partitionSets: readonly object[],
): Promise<{ readonly environment: string; readonly partitionSets: string }> {
  const passwords = await withDatabase(stack, DEMO.database, async (sql) => {
    await makeRestoreSchema(sql, RESTORE_SCHEMA, 'aviation');
    const roles = await sql<{ name: string }[]>`
      select rolname as name from pg_roles where rolname like 'archiver\\_%' and rolcanlogin order by 1`;
    const given: Record<string, string> = {};
    for (const { name } of roles) {
      given[name] = randomBytes(24).toString('base64url');
      await sql.unsafe(`alter role ${name} password '${given[name]}'`);
    }
    return given;
  });
  const files = {
    environment: join(directory, 'environment.sh'),
    partitionSets: join(directory, 'partition-sets.json'),
  };
  const text = environmentFile(stack, { database: DEMO.database, bucket: DEMO.bucket, passwords });
  writeFileSync(files.environment, text, { mode: 0o600 });
  writeFileSync(files.partitionSets, `${JSON.stringify({ partitionSets }, null, 2)}\n`);
  return files;
}

/** What to try next on a stack that stays up: the lines of a shell in `folder`. */
export async function nextCommands(
  stack: StackCoordinates,
  files: { readonly environment: string; readonly partitionSets: string },
  folder: string,
): Promise<string[]> {
  const [oldest] = await withDatabase(
    stack,
    DEMO.database,
    (sql) => sql<{ from: string; to: string }[]>`
      select to_char(lower_time at time zone 'UTC', 'YYYY-MM') as from, to_char(upper_time at time zone 'UTC', 'YYYY-MM') as to
        from partition_archiver.partition where manifest_key is not null order by lower_time limit 1`,
  );
  const range = oldest === undefined ? '' : ` --from ${oldest.from} --to ${oldest.to}`;
  const path = (file: string): string => shellArgument(relative(folder, file));
  return [
    `. ${path(files.environment)}`,
    `npm run archive -- status`,
    `npm run archive -- find --set public.flights${range}`,
    `npm run archive -- restore --set public.flights${range} --schema ${RESTORE_SCHEMA}`,
  ];
}
