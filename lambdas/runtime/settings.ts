import { readFileSync } from 'node:fs';
import { describeProblem } from '../../core/config/problems.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';

/** A server, or a proxy. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What a Lambda is told by its environment. The only place that reads it. */
export interface Settings {
  /** Which archiver of the account this is, in metrics and logs. */
  readonly archiver: string;
  readonly databaseHost: string;
  readonly databasePort: number;
  readonly databaseName: string;
  readonly databaseSecretArn: string;
  /** Where verify reads tables, if not through the proxy. */
  readonly readingEndpoint?: Endpoint;
  readonly archiveBucket: string;
  readonly region: string;
}

const VARIABLES = {
  archiver: 'ARCHIVER',
  databaseHost: 'DATABASE_HOST',
  databasePort: 'DATABASE_PORT',
  databaseName: 'DATABASE_NAME',
  databaseSecretArn: 'DATABASE_SECRET_ARN',
  archiveBucket: 'ARCHIVE_BUCKET',
  region: 'AWS_REGION',
} as const;

/** Reads the environment. `InvalidConfiguration` names every variable that is missing. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const missing = Object.values(VARIABLES).filter((name) => (environment[name] ?? '') === '');
  if (missing.length > 0) {
    throw new ArchiverError('InvalidConfiguration', `the environment lacks ${missing.join(', ')}`);
  }
  const value = (setting: keyof typeof VARIABLES): string => environment[VARIABLES[setting]] ?? '';
  const databasePort = portOf('DATABASE_PORT', environment);
  const readingHost = environment['READING_HOST'] ?? '';
  return {
    archiver: value('archiver'),
    databaseHost: value('databaseHost'),
    databasePort,
    databaseName: value('databaseName'),
    databaseSecretArn: value('databaseSecretArn'),
    ...(readingHost === ''
      ? {}
      : { readingEndpoint: { host: readingHost, port: portOf('READING_PORT', environment) } }),
    archiveBucket: value('archiveBucket'),
    region: value('region'),
  };
}

function portOf(name: string, environment: Readonly<Record<string, string | undefined>>): number {
  const port = Number(environment[name]);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new ArchiverError(
    'InvalidConfiguration',
    `${name} is ${JSON.stringify(environment[name])}, which is no port`,
  );
}

/** Reads the `config.json` that the deployment put beside the bundle. */
export function readRuntimeConfig(file: URL = new URL('config.json', import.meta.url)): RuntimeConfig {
  const parsed = parseRuntimeConfig(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.ok) return parsed.config;
  throw new ArchiverError('InvalidConfiguration', parsed.problems.map(describeProblem).join('; '));
}
