/**
 * PgBouncer in RDS Proxy's place: TLS demanded, transactions multiplexed over few server connections.
 *
 * What RDS Proxy does otherwise: it pins a client to a server connection when a session setting is changed,
 * where PgBouncer lets the setting leak to the next client. Code that survives here (everything by SET LOCAL,
 * no session locks, no prepared statements) neither leaks nor pins.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { giveToServiceAccount, requireProgram } from './commands.ts';
import { cheapVerifier, POOLER_ROLE } from './postgres.ts';
import { waitUntilReady } from './processes.ts';
import type { Daemon, Supervisor } from './processes.ts';

export interface PoolerOptions {
  /** A folder that the service account can reach. */
  readonly directory: string;
  readonly port: number;
  readonly postgresPort: number;
  /** Folder of the server's socket, where no password is asked for. */
  readonly postgresSockets: string;
  readonly poolerPassword: string;
  readonly certificates: Certificates;
}

/** The pooler of a stack. */
export interface Pooler {
  /** May read the console, the database `pgbouncer`. */
  readonly admin: { readonly user: string; readonly password: string };
  start(): Promise<void>;
  /** Cuts every client off and starts again on the same port, as a failover of the proxy would. */
  restart(): Promise<void>;
}

/** Writes the configuration of PgBouncer; it is not started yet. */
export async function preparePooler(options: PoolerOptions, supervisor: Supervisor): Promise<Pooler> {
  const program = requireProgram('pgbouncer', 'pgbouncer');
  await mkdir(options.directory, { recursive: true });
  const file = join(options.directory, 'pgbouncer.ini');
  const users = join(options.directory, 'users.txt');
  await writeFile(users, `"${POOLER_ROLE}" "${cheapVerifier(POOLER_ROLE, options.poolerPassword)}"\n`, {
    mode: 0o600,
  });
  await writeFile(file, configuration(options, users));
  await giveToServiceAccount(options.directory);

  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    daemon = supervisor.start({
      name: 'pgbouncer',
      command: [program, file],
      cwd: options.directory,
      stopSignal: 'SIGTERM',
      unprivileged: true,
    });
    await waitUntilReady(daemon, () => accepts(options.port));
  };
  return {
    admin: { user: POOLER_ROLE, password: options.poolerPassword },
    start,
    async restart() {
      await daemon?.stop();
      await start();
    },
  };
}

function configuration(options: PoolerOptions, users: string): string {
  return `[databases]
; By the socket: with SCRAM, a login to the server needs the very verifier that the client came with, and a password that
; was set again in between, though the same, has another.
* = host=${options.postgresSockets} port=${String(options.postgresPort)} auth_user=${POOLER_ROLE}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${String(options.port)}
unix_socket_dir =
pool_mode = transaction
; Users are looked up in the database that they ask for, so a role is known from the moment that it exists.
auth_type = scram-sha-256
auth_file = ${users}
auth_query = select usename, passwd from pg_catalog.pg_shadow where usename = $1
admin_users = ${POOLER_ROLE}
client_tls_sslmode = require
client_tls_key_file = ${options.certificates.keyFile}
client_tls_cert_file = ${options.certificates.certificateFile}
server_tls_sslmode = disable
; Drivers send it unasked; everything else that could change a session is refused, as it would leak.
ignore_startup_parameters = extra_float_digits
; The server sends 8 KB at a time. With half of that (the default), each piece becomes two records of TLS.
pkt_buf = 16384
max_client_conn = 400
default_pool_size = 10
; A database can be dropped soon after its last client has gone.
server_idle_timeout = 20
; After a crash of the server, try again soon.
server_login_retry = 1
; As RDS Proxy's defaults: how long a client waits for a connection, and how long it may idle.
query_wait_timeout = 120
client_idle_timeout = 1800
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
