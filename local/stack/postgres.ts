import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { scramVerifier } from '../../adapters/postgres/setup/scram.ts';
import type { Certificates } from './certificates.ts';
import { asServiceAccount, giveToServiceAccount, requireProgram, run } from './commands.ts';
import { programFolder } from './installation.ts';
import type { PostgresInstallation } from './installation.ts';
import { isAlive, readProcess, waitUntilReady } from './processes.ts';
import type { Daemon, ProcessIdentity, Supervisor } from './processes.ts';

/** The superuser, named as on a plain installation. RDS has none: only the stack and tests' set-up use it. */
export const SUPERUSER = 'postgres';

/** The role that PgBouncer looks passwords up with. */
export const POOLER_ROLE = 'pooler';

export interface PostgresOptions {
  readonly installation: PostgresInstallation;
  /** A folder that the service account can reach. */
  readonly directory: string;
  readonly port: number;
  readonly superuserPassword: string;
  readonly poolerPassword: string;
  readonly certificates: Certificates;
  /** Where the aws_s3 stand-in reaches its sidecar. */
  readonly sidecarUrl: string;
  /** False gives up durability for speed: the data does not survive a crash of the machine. */
  readonly durable: boolean;
  /** Variables of the server's process besides those of this one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Settings of the server that come after its own. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The PostgreSQL server of a stack. */
export interface PostgresServer {
  /** Starts it, at the first time or after a kill, and waits until it is ready. */
  start(): Promise<void>;
  /** Ends the postmaster and every backend at the same instant by SIGKILL, as a power cut would. */
  kill(): Promise<void>;
}

/** Prepares a PostgreSQL server in its directory (initdb at the first time); it is not started yet. */
export async function preparePostgres(
  options: PostgresOptions,
  supervisor: Supervisor,
): Promise<PostgresServer> {
  const data = join(options.directory, 'data');
  const server = requireServerProgram('postgres', options);
  const configuration = join(options.directory, 'postgresql.conf');
  // Written last of all, so that a first start that was killed half way is begun again.
  const complete = join(options.directory, 'complete');
  const fresh = !existsSync(complete);
  if (fresh) await initialise(data, options);
  await writeConfiguration(configuration, data, options);

  let daemon: Daemon | undefined;
  return {
    async start() {
      daemon = supervisor.start({
        name: 'postgres',
        command: [server, '-D', data, '-c', `config_file=${configuration}`],
        cwd: options.directory,
        env: { ...process.env, ...options.environment },
        stopSignal: 'SIGINT',
        unprivileged: true,
      });
      await waitUntilReady(daemon, () => isReady(options));
      if (existsSync(complete)) return;
      await allowPoolerLookups(options);
      await writeFile(complete, '');
    },
    async kill() {
      if (daemon === undefined) return;
      await killWithChildren(daemon.pid);
      // The next one takes the zombie that the lock file names for a postmaster that runs, and gives up.
      while (!daemon.isReaped()) await sleep(5);
    },
  };
}

function requireServerProgram(name: string, { installation }: PostgresOptions): string {
  const debianPackage = `postgresql-${String(installation.major)}`;
  return requireProgram(name, debianPackage, [programFolder(installation)]);
}

async function initialise(data: string, options: PostgresOptions): Promise<void> {
  // What an initdb left that was killed half way is of no use.
  rmSync(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true });
  const passwordFile = join(options.directory, 'initdb-password');
  await writeFile(passwordFile, `${cheapVerifier(SUPERUSER, options.superuserPassword)}\n`, { mode: 0o600 });
  await giveToServiceAccount(options.directory);
  await run(
    asServiceAccount([
      requireServerProgram('initdb', options),
      '-D',
      data,
      '-U',
      SUPERUSER,
      '--no-sync',
      // The socket is for the pooler, which asks each client for its password itself.
      '--auth-host=scram-sha-256',
      '--auth-local=trust',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ]),
    { cwd: options.directory },
  );
  rmSync(passwordFile);
}

/** Where the server's socket is; only the service account gets there. */
export function socketDirectory(directory: string): string {
  return join(directory, 'sockets');
}

async function writeConfiguration(path: string, data: string, options: PostgresOptions): Promise<void> {
  const setting = (name: string, value: string): string => `${name} = '${value.replaceAll("'", "''")}'\n`;
  // The aws_s3 stand-in keeps its sidecar's results here, one file a backend.
  const results = join(data, 'aws_s3_local');
  await mkdir(results, { recursive: true });
  await giveToServiceAccount(results);
  const sockets = socketDirectory(options.directory);
  await mkdir(sockets, { recursive: true, mode: 0o700 });
  await giveToServiceAccount(sockets);
  await writeFile(
    path,
    [
      setting('listen_addresses', '127.0.0.1'),
      setting('port', String(options.port)),
      setting('unix_socket_directories', sockets),
      setting('max_connections', '200'),
      setting('max_prepared_transactions', '8'),
      setting('password_encryption', 'scram-sha-256'),
      setting('ssl', 'on'),
      setting('ssl_cert_file', options.certificates.certificateFile),
      setting('ssl_key_file', options.certificates.keyFile),
      setting('shared_buffers', '256MB'),
      setting('max_wal_size', '4GB'),
      // Whole partition sets are locked at once by maintenance.
      setting('max_locks_per_transaction', '256'),
      setting('timezone', 'UTC'),
      setting('log_timezone', 'UTC'),
      setting('log_line_prefix', '%m [%p] %u@%d '),
      setting('fsync', options.durable ? 'on' : 'off'),
      setting('synchronous_commit', options.durable ? 'on' : 'off'),
      setting('full_page_writes', options.durable ? 'on' : 'off'),
      setting('aws_s3_local.sidecar', options.sidecarUrl),
      // AWS documents "about 6 GB"; a test may lower it for its session.
      setting('aws_s3_local.file_limit', '6GB'),
      ...Object.entries(options.settings ?? {}).map(([name, value]) => setting(name, value)),
    ].join(''),
  );
  await giveToServiceAccount(path);
}

function connect(options: PostgresOptions, database: string): postgres.Sql {
  return postgres({
    host: '127.0.0.1',
    port: options.port,
    user: SUPERUSER,
    password: options.superuserPassword,
    database,
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
  });
}

async function isReady(options: PostgresOptions): Promise<boolean> {
  const sql = connect(options, 'postgres');
  try {
    await sql`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * Lets PgBouncer's own role read password verifiers, in every database that is made from now on: privileges on
 * catalogs are copied from template1. So roles made later, in whatever database, can log in through the pooler
 * at once, and the pooler needs no superuser.
 */
async function allowPoolerLookups(options: PostgresOptions): Promise<void> {
  for (const database of ['postgres', 'template1']) {
    const sql = connect(options, database);
    try {
      if (database === 'postgres') {
        const verifier = cheapVerifier(POOLER_ROLE, options.poolerPassword);
        await sql.unsafe(`create role ${POOLER_ROLE} login password '${verifier}'`);
      }
      await sql.unsafe(`grant select on pg_catalog.pg_shadow to ${POOLER_ROLE}`);
    } finally {
      await sql.end();
    }
  }
}

/**
 * What the server keeps of a password that need not stand an attack, since it is good for this stack only: each login with
 * PostgreSQL's own 4,096 iterations costs the client 1 to 2 ms of processor.
 */
export function cheapVerifier(role: string, password: string): string {
  return scramVerifier(role, password, { iterations: 1 });
}

async function killWithChildren(postmaster: number): Promise<void> {
  const family: ProcessIdentity[] = readdirSync('/proc')
    .map((entry) => readProcess(Number(entry)))
    .filter((status) => status !== undefined)
    .filter((status) => status.pid === postmaster || status.parentPid === postmaster);
  // The postmaster first: it would take the death of a backend for a reason to restart.
  family.sort((a, b) => Number(b.pid === postmaster) - Number(a.pid === postmaster));
  for (const { pid } of family) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself meanwhile.
    }
  }
  while (family.some((member) => isAlive(member))) await sleep(5);
}
