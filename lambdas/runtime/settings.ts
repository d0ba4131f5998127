import { describeProblem } from '../../core/config/problems.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { LoginRole } from '../../core/setup/prepare-database.ts';

/** A server, or a proxy. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What a Lambda without a database is told by its environment. */
export interface BucketSettings {
  /** Which archiver of the account this is, in metrics and logs. */
  readonly archiver: string;
  /** First part of every key. */
  readonly databaseName: string;
  /** Names that it had before it was renamed, below which earlier archives lie. */
  readonly formerNames: readonly string[];
  readonly archiveBucket: string;
  /** Account that the bucket has to belong to. */
  readonly bucketOwner?: string;
  readonly region: string;
}

/** What a Lambda is told by its environment. */
export interface Settings extends BucketSettings {
  readonly databaseHost: string;
  readonly databasePort: number;
  /** Secret of the database role that the function logs in as, or, by IAM, that role itself. */
  readonly login: { readonly secretArn: string } | { readonly user: string };
  /** Where verify reads tables, if not through the proxy. */
  readonly verifyEndpoint?: Endpoint;
}

type Environment = Readonly<Record<string, string | undefined>>;

const BUCKET_VARIABLES = {
  archiver: 'ARCHIVER',
  databaseName: 'DATABASE_NAME',
  archiveBucket: 'ARCHIVE_BUCKET',
  region: 'AWS_REGION',
} as const;

const VARIABLES = {
  ...BUCKET_VARIABLES,
  databaseHost: 'DATABASE_HOST',
  databasePort: 'DATABASE_PORT',
} as const;

/** Reads the environment. `InvalidConfiguration` names every variable that is missing. */
export function readSettings(environment: Environment = process.env): Settings {
  const byIam = (environment['DATABASE_USER'] ?? '') !== '';
  const { as, ...settings } = readVariables(
    { ...VARIABLES, as: byIam ? 'DATABASE_USER' : 'DATABASE_SECRET_ARN' },
    environment,
  );
  const verifyHost = environment['VERIFY_HOST'] ?? '';
  return {
    ...settings,
    ...formerNamesIn(environment),
    ...ownerOf(environment),
    login: byIam ? { user: as } : { secretArn: as },
    databasePort: portOf('DATABASE_PORT', environment),
    ...(verifyHost !== '' && {
      verifyEndpoint: { host: verifyHost, port: portOf('VERIFY_PORT', environment) },
    }),
  };
}

/** As {@link readSettings}, for a function that has no way to the database. */
export function readBucketSettings(environment: Environment = process.env): BucketSettings {
  return {
    ...readVariables(BUCKET_VARIABLES, environment),
    ...formerNamesIn(environment),
    ...ownerOf(environment),
  };
}

/** No name of a database in the configuration has a comma. */
function formerNamesIn(environment: Environment): Pick<BucketSettings, 'formerNames'> {
  const names = environment['FORMER_DATABASE_NAMES'] ?? '';
  return { formerNames: names === '' ? [] : names.split(',') };
}

/** Empty where the object store is not S3, and knows no accounts. */
function ownerOf(environment: Environment): Pick<BucketSettings, 'bucketOwner'> {
  const bucketOwner = environment['ARCHIVE_BUCKET_OWNER'] ?? '';
  return bucketOwner === '' ? {} : { bucketOwner };
}

const LOGIN_SECRETS = {
  archiver_maintain: 'ARCHIVER_MAINTAIN_SECRET_ARN',
  archiver_read: 'ARCHIVER_READ_SECRET_ARN',
  archiver_stream: 'ARCHIVER_STREAM_SECRET_ARN',
  archiver_drop: 'ARCHIVER_DROP_SECRET_ARN',
  archiver_restore: 'ARCHIVER_RESTORE_SECRET_ARN',
} as const satisfies Record<LoginRole, string>;

/** ARNs of the secrets of all logins that have one, for the function that sets their passwords. */
export function readLoginSecrets(
  environment: Environment = process.env,
): Readonly<Partial<Record<LoginRole, string>>> {
  const set = Object.entries(LOGIN_SECRETS).flatMap(([role, name]) => {
    const arn = environment[name] ?? '';
    return arn === '' ? [] : [[role, arn]];
  });
  return Object.fromEntries(set) as Partial<Record<LoginRole, string>>;
}

function readVariables<Name extends string>(
  variables: Readonly<Record<Name, string>>,
  environment: Environment,
): Record<Name, string> {
  const entries = Object.entries<string>(variables);
  const missing = entries.map(([, name]) => name).filter((name) => (environment[name] ?? '') === '');
  if (missing.length > 0) {
    throw new ArchiverError('InvalidConfiguration', `the environment lacks ${missing.join(', ')}`);
  }
  return Object.fromEntries(entries.map(([setting, name]) => [setting, environment[name] ?? ''])) as Record<
    Name,
    string
  >;
}

function portOf(name: string, environment: Environment): number {
  const port = Number(environment[name]);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new ArchiverError(
    'InvalidConfiguration',
    `${name} is ${JSON.stringify(environment[name])}, which is no port`,
  );
}

/** The part of the input of a step that has the configuration, as it came. */
export interface WithConfig {
  readonly config: unknown;
}

/**
 * Reads the configuration that stands in the definition of the state machine, and so in the input of its steps. What is
 * missing or wrong is `InvalidConfiguration`: no step falls back to defaults of its own.
 */
export function readRuntimeConfig(config: unknown, sets: 'some' | 'none, too' = 'some'): RuntimeConfig {
  const parsed = parseRuntimeConfig(config, sets);
  if (parsed.ok) return parsed.config;
  throw new ArchiverError('InvalidConfiguration', parsed.problems.map(describeProblem).join('; '));
}
