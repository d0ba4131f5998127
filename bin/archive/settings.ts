import { readFileSync } from 'node:fs';
import { describeProblem } from '../../core/config/problems.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { DatabaseRole } from './steps.ts';

/** What the local command is told by its environment: the names of libpq and of the AWS SDK, and passwords of roles. */
export interface CommandSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly passwords: Readonly<Record<DatabaseRole, string>>;
  /** `disable`, or verification of the server's certificate by the system's authorities and this file's. */
  readonly sslMode: 'verify-full' | 'disable';
  readonly sslRootCert: string | undefined;
  readonly bucket: string;
  readonly region: string;
  readonly s3Endpoint: string | undefined;
}

const PASSWORD_VARIABLES: Readonly<Record<DatabaseRole, string>> = {
  archiver_maintain: 'ARCHIVER_MAINTAIN_PASSWORD',
  archiver_read: 'ARCHIVER_READ_PASSWORD',
  archiver_drop: 'ARCHIVER_DROP_PASSWORD',
};

/** Reads the environment of the command; `InvalidConfiguration` with everything that is missing or wrong. */
export function readCommandSettings(
  environment: Readonly<Record<string, string | undefined>>,
): CommandSettings {
  const problems: string[] = [];
  const need = (name: string): string => {
    const value = environment[name] ?? '';
    if (value === '') problems.push(`${name} is not set`);
    return value;
  };
  const sslMode = environment['PGSSLMODE'] ?? 'verify-full';
  if (sslMode !== 'verify-full' && sslMode !== 'disable') {
    problems.push(`PGSSLMODE: ${JSON.stringify(sslMode)} must be verify-full or disable`);
  }
  const port = Number(environment['PGPORT'] ?? '5432');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    problems.push(`PGPORT: ${JSON.stringify(environment['PGPORT'])} must be a port from 1 to 65535`);
  }
  const passwords = Object.fromEntries(
    Object.entries(PASSWORD_VARIABLES).map(([role, name]) => [role, need(name)]),
  ) as Record<DatabaseRole, string>;
  const settings: CommandSettings = {
    host: need('PGHOST'),
    port,
    database: need('PGDATABASE'),
    passwords,
    sslMode: sslMode === 'disable' ? 'disable' : 'verify-full',
    sslRootCert: environment['PGSSLROOTCERT'],
    bucket: need('ARCHIVE_BUCKET'),
    region: need('AWS_REGION'),
    s3Endpoint: environment['AWS_ENDPOINT_URL_S3'],
  };
  if (problems.length > 0) throw new ArchiverError('InvalidConfiguration', problems.join('; '));
  return settings;
}

/** Reads the partition sets: a JSON file with `partitionSets` and, optionally, `concurrency`. */
export function readPartitionSets(file: string): RuntimeConfig {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArchiverError('InvalidConfiguration', `cannot read ${file}: ${reason}`);
  }
  const parsed = parseRuntimeConfig(json);
  if (parsed.ok) return parsed.config;
  throw new ArchiverError('InvalidConfiguration', parsed.problems.map(describeProblem).join('; '));
}
