import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import type { StackCoordinates } from '../stack.ts';
import { ensureCertificates } from './certificates.ts';
import { asServiceAccount, giveToServiceAccount, requireProgram, run } from './commands.ts';
import { programFolder, type PostgresInstallation } from './installation.ts';
import { freePorts } from './ports.ts';
import { Supervisor, waitUntilReady } from './processes.ts';

/** A hot standby of the whole server of a stack, as a read replica of RDS is one. */
export interface Replica {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority that vouches for it. */
  readonly authorityFile: string;
  /** Connects as superuser. */
  connect(database: string): postgres.Sql;
  /** Resolves when everything that the server has written is replayed here. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/** Settings that a standby must have at least as large as its server, and what keeps it small. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  max_locks_per_transaction: '256',
  max_prepared_transactions: '8',
  shared_buffers: '32MB',
  fsync: 'off',
  ssl: 'on',
};

/** Copies the server of a stack by pg_basebackup and starts the copy as its streaming replica. */
export async function startReplica(
  { postgres: server, pooler }: Pick<StackCoordinates, 'postgres' | 'pooler'>,
  installation: PostgresInstallation,
  settings: Readonly<Record<string, string>> = {},
): Promise<Replica> {
  const program = (name: string): string =>
    requireProgram(name, `postgresql-${String(installation.major)}`, [programFolder(installation)]);
  const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-replica-'));
  chmodSync(directory, 0o755);
  await giveToServiceAccount(directory);
  const data = join(directory, 'data');
  const { user, password } = server.superuser;
  const backup = [program('pg_basebackup'), '-h', server.host, '-p', String(server.port), '-U', user];
  await run(
    asServiceAccount([
      'env',
      `PGPASSWORD=${password}`,
      ...backup,
      '-D',
      data,
      '-X',
      'stream',
      '--checkpoint=fast',
      '--write-recovery-conf',
    ]),
    { cwd: directory },
  );
  const certificates = await ensureCertificates(dirname(pooler.caFile));
  const { port } = await freePorts(['port']);
  const all = {
    ...SETTINGS,
    port: String(port),
    unix_socket_directories: directory,
    ssl_cert_file: certificates.certificateFile,
    ssl_key_file: certificates.keyFile,
    ...settings,
  };
  const supervisor = await Supervisor.open(directory, () => undefined);
  const daemon = supervisor.start({
    name: 'replica',
    command: [
      program('postgres'),
      '-D',
      data,
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    cwd: directory,
    stopSignal: 'SIGINT',
    unprivileged: true,
  });
  const connect = (database: string): postgres.Sql =>
    postgres({
      host: server.host,
      port,
      database,
      user,
      password,
      max: 1,
      // The driver does not await its own query of types: if replay cancels it, the rejection cannot be caught.
      fetch_types: false,
      onnotice: () => undefined,
    });
  const ask = async <T>(sql: postgres.Sql, question: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    try {
      return await question(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  await waitUntilReady(daemon, () =>
    ask(connect('postgres'), (sql) => sql`select 1`).then(
      () => true,
      () => false,
    ),
  );
  return {
    host: server.host,
    port,
    authorityFile: certificates.authorityFile,
    connect,
    catchUp: async () => {
      const writer = postgres({ ...server, database: 'postgres', user, password, max: 1 });
      const [{ written }] = await ask(
        writer,
        (sql) => sql<[{ written: string }]>`select pg_current_wal_insert_lsn()::text as written`,
      );
      await waitUntilReady(daemon, () =>
        ask(connect('postgres'), async (sql) => {
          const [row] = await sql<[{ there: boolean }]>`
            select pg_last_wal_replay_lsn() >= ${written}::pg_lsn as there`;
          return row.there;
        }).catch((error: unknown) => {
          // Replay cancels whatever is in its way, this question or its connection too; it is asked again.
          if (['40001', 'CONNECTION_CLOSED'].includes((error as { code?: string }).code ?? '')) return false;
          throw error;
        }),
      );
    },
    stop: async () => {
      await supervisor.stopAll();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
