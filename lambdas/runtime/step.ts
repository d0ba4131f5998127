import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { LOGIN_ROLES } from '../../core/setup/prepare-database.ts';
import { functionLogin, type Login } from './login.ts';
import { readSettings, type Endpoint, type Settings } from './settings.ts';
import { timed, type Handler, type Timing } from './timed.ts';

/** What a step works with. */
export interface StepContext extends Omit<Timing, 'signal'> {
  readonly settings: Settings;
  /** The step's connection, ended when it is done. */
  readonly connection: Connection;
  /** What the connection's server said in notices and warnings. */
  readonly notices: string[];
  /** Opens a further connection, to the proxy or to another endpoint; the step that opens it ends it. */
  readonly open: (to?: Endpoint) => Connection;
}

/** What a step finds where it runs. */
export interface StepDependencies {
  readonly settings: Settings;
  readonly credentials: () => Promise<Login>;
  readonly connect: typeof connect;
}

function lambdaDependencies(): StepDependencies {
  const settings = readSettings();
  return { settings, credentials: functionLogin(settings), connect };
}

/**
 * Wires a step: settings and configuration, a database connection as the role that the function logs in as, a clock
 * and a log; ends its connections when the step is done or out of time. A Lambda that returned is frozen as it stands
 * and thawed for the next event: what was left under way would continue beside the next try.
 */
export function step<Event, Answer>(
  name: string,
  work: (event: Event, context: StepContext) => Promise<Answer>,
  dependencies: StepDependencies = lambdaDependencies(),
): Handler<Event, Answer> {
  const { settings } = dependencies;
  return timed<Event, Answer>(name, async (event, { signal, ...timing }) => {
    const { username, password } = await dependencies.credentials();
    const notices: string[] = [];
    const opened: Connection[] = [];
    const proxy: Endpoint = { host: settings.databaseHost, port: settings.databasePort };
    const open = (to: Endpoint = proxy): Connection => {
      signal.throwIfAborted();
      const connection = dependencies.connect(
        {
          ...to,
          database: settings.databaseName,
          user: username,
          password: typeof password === 'string' ? password : () => password(to),
          tls: {},
          applicationName: `partition-archiver ${name}`,
          // Another name is an administrator's, whose functions connect past the proxy.
          ...(!LOGIN_ROLES.some((role) => role === username) && { pinned: true }),
        },
        (notice) => notices.push(notice),
      );
      opened.push(connection);
      return connection;
    };
    signal.addEventListener('abort', () => {
      for (const each of opened) void each.end({ timeout: 0 });
    });
    const connection = open();
    try {
      return await work(event, { settings, connection, notices, open, ...timing });
    } finally {
      await connection.end({ timeout: 1 });
    }
  });
}
