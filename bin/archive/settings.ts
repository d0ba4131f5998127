import { readFileSync } from 'node:fs';
import { describeProblem } from '../../core/config/problems.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { LoginRole } from '../../core/setup/prepare-database.ts';

/** Whom a command connects as: a role of the archiver, or an administrator of the database. */
export type Login = LoginRole | 'administrator';

/** What a command needs of its environment. */
export interface CommandNeeds {
  /** The file with the partition sets; `if there`: what it says of other things, where there is one. */
  readonly config?: true | 'if there';
  /** It can do without a partition set. */
  readonly noSets?: true;
  readonly logins?: readonly Login[];
  readonly bucket?: boolean;
}

/** What the local command is told by its environment: the names of libpq and of the AWS SDK, and passwords of roles. */
export interface CommandSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The administrator's name. */
  readonly administrator: string;
  readonly passwords: Readonly<Partial<Record<Login, string>>>;
  /** `disable`, or verification of the server's certificate by the system's authorities and this file's. */
  readonly sslMode: 'verify-full' | 'disable';
  readonly sslRootCert: string | undefined;
  readonly bucket: string;
  /** Account that the bucket has to belong to. */
  readonly bucketOwner: string | undefined;
  readonly region: string;
  readonly s3Endpoint: string | undefined;
}

/** The variables of the passwords. */
export const PASSWORD_VARIABLES: Readonly<Record<Login, string>> = {
  archiver_maintain: 'ARCHIVER_MAINTAIN_PASSWORD',
  archiver_read: 'ARCHIVER_READ_PASSWORD',
  archiver_stream: 'ARCHIVER_STREAM_PASSWORD',
  archiver_drop: 'ARCHIVER_DROP_PASSWORD',
  archiver_restore: 'ARCHIVER_RESTORE_PASSWORD',
  administrator: 'ARCHIVER_ADMIN_PASSWORD',
};

/** Reads what a command needs, and what is missing or wrong. */
export function readCommandSettings(
  environment: Readonly<Record<string, string | undefined>>,
  { logins = [], bucket = false }: CommandNeeds,
): { readonly settings: CommandSettings; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = (name: string, needed: boolean): string => {
    const value = environment[name] ?? '';
    if (needed && value === '') problems.push(`${name} is not set`);
    return value;
  };
  // As for the programs of PostgreSQL and the AWS SDK, an empty variable is one that is not set.
  const optional = (name: string): string | undefined =>
    environment[name] === '' ? undefined : environment[name];
  const database = logins.length > 0;
  const sslMode = environment['PGSSLMODE'] ?? 'verify-full';
  if (sslMode !== 'verify-full' && sslMode !== 'disable') {
    problems.push(`PGSSLMODE: ${JSON.stringify(sslMode)} must be verify-full or disable`);
  }
  const port = Number(environment['PGPORT'] ?? '5432');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    problems.push(`PGPORT: ${JSON.stringify(environment['PGPORT'])} must be a port from 1 to 65535`);
  }
  const region = read('AWS_REGION', bucket);
  if (region !== '' && !/^[a-z0-9-]+$/.test(region)) {
    problems.push(`AWS_REGION: ${JSON.stringify(region)} must be a region such as eu-central-1`);
  }
  const s3Endpoint = optional('AWS_ENDPOINT_URL_S3');
  if (s3Endpoint !== undefined && !/^https?:$/.test(URL.parse(s3Endpoint)?.protocol ?? '')) {
    problems.push(
      `AWS_ENDPOINT_URL_S3: ${JSON.stringify(s3Endpoint)} must be a URL such as https://s3.example.com`,
    );
  }
  const settings: CommandSettings = {
    host: read('PGHOST', database),
    port,
    database: read('PGDATABASE', database),
    administrator: read('PGUSER', logins.includes('administrator')),
    passwords: Object.fromEntries(logins.map((login) => [login, read(PASSWORD_VARIABLES[login], true)])),
    sslMode: sslMode === 'disable' ? 'disable' : 'verify-full',
    sslRootCert: optional('PGSSLROOTCERT'),
    bucket: read('ARCHIVE_BUCKET', bucket),
    bucketOwner: optional('ARCHIVE_BUCKET_OWNER'),
    region,
    s3Endpoint,
  };
  return { settings, problems };
}

/** The password that the environment has for a role, if any: what `prepare` gives it. */
export function passwordFor(
  login: Login,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const password = environment[PASSWORD_VARIABLES[login]] ?? '';
  return password === '' ? undefined : password;
}

/** Reads the partition sets: a JSON file with `partitionSets` and, optionally, `concurrency`. */
export function readPartitionSets(file: string, sets: 'some' | 'none, too' = 'some'): RuntimeConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArchiverError('InvalidConfiguration', `cannot read ${file}: ${reason}`);
  }
  const parsed = parseRuntimeConfig(json, sets);
  if (parsed.ok) return parsed.config;
  throw new ArchiverError('InvalidConfiguration', parsed.problems.map(describeProblem).join('; '));
}
