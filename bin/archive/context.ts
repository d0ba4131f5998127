import { existsSync, readFileSync } from 'node:fs';
import { systemClock } from '../../adapters/clock.ts';
import { connect } from '../../adapters/postgres/connect.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import { silentLog, type Log } from '../../core/ports.ts';
import type { Command, CommandContext, CommandOptions } from './command.ts';
import { valueProblems, wordProblems } from './options.ts';
import { passwordFor, readCommandSettings, readPartitionSets } from './settings.ts';
import { commandProgress } from './terminal/progress.ts';

const DEFAULT_FILE = 'partition-sets.json';

/** For a command that needs no partition sets. */
const NO_SETS: RuntimeConfig = { partitionSets: [], concurrency: { partitions: 2, segments: 2 } };

/** Wires a command to what it needs; nothing is connected to before it is used. */
export function makeContext(
  command: Command,
  args: readonly string[],
  options: CommandOptions,
  environment: Readonly<Record<string, string | undefined>>,
): CommandContext {
  const wrongValues = [...wordProblems(command.arguments ?? '', args), ...valueProblems(options)];
  const problems: string[] = [];
  const config = readOr(NO_SETS, problems, () => readConfig(command, options));
  const { settings, problems: missing } = readCommandSettings(environment, command.needs);
  problems.push(...missing);
  const { host, port, database, administrator, passwords, sslMode, sslRootCert, bucket, region } = settings;
  const ca =
    sslRootCert === undefined
      ? {}
      : readOr<{ readonly ca?: string }>({}, problems, () => ({ ca: readAuthorities(sslRootCert) }));
  if (wrongValues.length + problems.length > 0) {
    throw new ArchiverError(
      problems.length > 0 ? 'InvalidConfiguration' : 'InvalidInput',
      [...wrongValues, ...problems].join('; '),
    );
  }
  // A terminal gets a line that is drawn again; a pipe or a file gets the log.
  const isWatched = options.log === undefined && process.stderr.isTTY;
  const { progress, log } = commandProgress(process.stderr, logOf(command, options, isWatched), isWatched);
  return {
    config,
    bucket,
    region,
    database,
    args,
    options,
    s3: makeS3Client({
      region: region === '' ? 'us-east-1' : region,
      ...(settings.s3Endpoint !== undefined && { endpoint: settings.s3Endpoint }),
      ...(settings.bucketOwner !== undefined && { bucketOwner: settings.bucketOwner }),
    }),
    open: (login, notices = [], other = database) =>
      connect(
        {
          host,
          port,
          database: other,
          user: login === 'administrator' ? administrator : login,
          password: passwords[login] ?? '',
          tls: sslMode === 'disable' ? false : ca,
          applicationName: 'partition-archiver',
          pinned: login === 'administrator',
        },
        (notice) => notices.push(notice),
      ),
    passwordFor: (login) => passwordFor(login, environment),
    clock: systemClock(),
    log,
    progress,
    width: process.stdout.isTTY ? process.stdout.columns : undefined,
    show: (result, text) => {
      progress.clear();
      if (options.json === true) sayLine(JSON.stringify(result, null, 2));
      else text(sayLine);
    },
  };
}

/** What `read` returns; otherwise `fallback`, and what is wrong is added to the problems. */
function readOr<T>(fallback: T, problems: string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    problems.push(error.message);
    return fallback;
  }
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArchiverError('InvalidConfiguration', `PGSSLROOTCERT: cannot read ${file}: ${reason}`);
  }
}

function readConfig({ needs }: Command, options: CommandOptions): RuntimeConfig {
  const file = options.config ?? DEFAULT_FILE;
  const isWanted = needs.config === true || options.config !== undefined || existsSync(file);
  return needs.config !== undefined && isWanted
    ? readPartitionSets(file, needs.noSets === true ? 'none, too' : 'some')
    : NO_SETS;
}

/** The log that `--log` names; by default lines for a command that takes long, else none; beside progress only warnings. */
function logOf(command: Command, { log }: CommandOptions, isWatched: boolean): Log {
  const form = log ?? (command.takesLong === true ? 'lines' : 'none');
  if (form === 'lines' && isWatched) return { ...silentLog, warn: logLineOf };
  if (form === 'lines') return lineLog;
  return form === 'json' ? jsonLog : silentLog;
}

function sayLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

const logLineOf: Log['info'] = (event, fields = {}) => {
  const what = Object.entries(fields).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  process.stderr.write(`${new Date().toISOString()} ${event}: ${what.join(', ')}\n`);
};
const lineLog: Log = { info: logLineOf, warn: logLineOf };

const jsonLog: Log = {
  info: (event, fields) => {
    logLine('info', event, fields);
  },
  warn: (event, fields) => {
    logLine('warn', event, fields);
  },
};

function logLine(level: string, event: string, fields: object = {}): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
}
