import { isIP } from 'node:net';
import postgres from 'postgres';
import { SESSION_PINS } from '../../core/pins.ts';
import { translate } from './errors.ts';
import { whileConnected, whileOpen, type Closes } from './lost-connection.ts';
import type { DatabaseSocket } from './database-socket.ts';
import { openSocket } from './socket.ts';

/** Where the database is, and as whom to connect. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Or what makes one when the connection is opened: a token that is good for minutes. */
  readonly password: string | (() => Promise<string>);
  /** The certificate must be valid for the host; with `ca`, by that authority (PEM). `false`: no TLS. */
  readonly tls: { readonly ca?: string } | false;
  /** Shown in pg_stat_activity: who asks, and for what. */
  readonly applicationName: string;
  /**
   * Whether the session has the settings that an administrator's needs, whatever the database has for others; straight at
   * the server, since poolers take few settings at the start of a session. The login roles have theirs (db/schema/roles.sql).
   */
  readonly pinned?: boolean;
}

/** One connection to the database. */
export type Connection = postgres.Sql;

/** A transaction on it. */
export type Transaction = postgres.TransactionSql;

/** The driver makes dates of ISO texts only. Poolers take this setting, as the drivers of other languages send it, too. */
const DATE_STYLE = { DateStyle: 'ISO, YMD' };

/** What there is of a client besides the driver. */
interface Session {
  readonly closes: Closes;
  /** Once it is connected. */
  socket?: DatabaseSocket;
}

const sessions = new WeakMap<object, Session>();

/** The socket of a client that has said something already. */
export function socketOf(connection: Connection): DatabaseSocket {
  const socket = sessions.get(connection)?.socket;
  if (socket === undefined) throw new Error('there is no socket before the first statement');
  return socket;
}

/**
 * Opens a client with a single connection: what RDS Proxy pins, it pins for one short-lived Lambda. Statements are
 * unnamed, since a transaction pooler may hand the next one to another server connection; types are not fetched, which
 * saves a catalog query. Once its connection was closed the client refuses whatever it is asked, as `DatabaseUnavailable`.
 * Counts come back as numbers: 2^53 rows are more than a table can have (2^32 blocks).
 */
export function connect(
  settings: ConnectionSettings,
  onnotice: (notice: string) => void = () => undefined,
): Connection {
  const session: Session = { closes: { times: 0 } };
  const { closes } = session;
  const tls = settings.tls === false ? false : { ...verifyFull(settings.host), ...settings.tls };
  const close = (): void => {
    closes.times += 1;
  };
  // Where no socket comes about, the driver reports no close, and never returns to the next caller.
  const socket = async (): Promise<DatabaseSocket> => {
    try {
      return (session.socket = await openSocket(settings.host, settings.port, tls));
    } catch (error) {
      close();
      throw error;
    }
  };
  const client: unknown = postgres({
    host: settings.host,
    port: settings.port,
    database: settings.database,
    username: settings.user,
    password: settings.password,
    // Encrypted by the socket below, if it is to be.
    ssl: false,
    // An option that the driver's README has, and its types have not.
    ...({ socket } as object),
    max: 1,
    prepare: false,
    fetch_types: false,
    connect_timeout: 30,
    idle_timeout: 0,
    // The driver would close it after half an hour or more, and a client has only one.
    max_lifetime: null,
    connection: {
      ...(settings.pinned === true ? SESSION_PINS : DATE_STYLE),
      application_name: settings.applicationName,
    },
    onclose: close,
    onnotice: (notice) => {
      onnotice(`${notice['severity'] ?? 'NOTICE'}: ${notice['message'] ?? ''}`);
    },
    types: {
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    },
  });
  // The driver's type names the custom types of a client; here they only change how a count is read.
  const connection = whileOpen(client as Connection, closes);
  sessions.set(connection, session);
  return connection;
}

/** Runs `work` and gives its errors the names of the catalogue; `doing` says what was tried. */
export async function translated<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, doing);
  }
}

/** How a transaction is begun. */
export type TransactionMode = 'read committed' | 'repeatable read' | 'repeatable read read only';

/** Like `translated`, in a transaction: READ COMMITTED, unless told otherwise. */
export async function inTransaction<T>(
  connection: Connection,
  doing: string,
  work: (transaction: Transaction) => Promise<T>,
  mode: TransactionMode = 'read committed',
): Promise<T> {
  return translated(doing, () => guardedTransaction(connection, `isolation level ${mode}`, work));
}

/** A transaction that ends with an error, and not with the process, where its connection is closed. `options` are those of BEGIN. */
export async function guardedTransaction<T>(
  connection: Pick<Connection, 'begin'>,
  options: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const closes = sessions.get(connection)?.closes ?? { times: 0 };
  return (await connection.begin(options, (transaction) => whileConnected(transaction, closes, work))) as T;
}

/** Node takes a name to check only where it may be sent in the handshake, which an IP address may not. */
function verifyFull(host: string): { rejectUnauthorized: true; servername?: string; host?: string } {
  return { rejectUnauthorized: true, ...(isIP(host) === 0 ? { servername: host } : { host }) };
}
