import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { readCredentials, type DatabaseCredentials } from '../../adapters/secrets-manager/credentials.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';
import { systemClock } from './clock.ts';
import { consoleLog, idsOf, logWith } from './log.ts';
import { readRuntimeConfig, readSettings, type Endpoint, type Settings } from './settings.ts';

/** Time kept back before the Lambda's own timeout, to answer with an error that is retried. */
const TIMEOUT_MARGIN_MS = 2_000;

/** What a step works with. */
export interface StepContext {
  readonly settings: Settings;
  readonly config: RuntimeConfig;
  /** The step's connection, ended when it is done. */
  readonly connection: Connection;
  /** What the connection's server said in notices and warnings. */
  readonly notices: string[];
  /** Opens a further connection, to the proxy or to another endpoint; whoever opens it ends it. */
  readonly open: (to?: Endpoint) => Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds that are left before the step is ended. */
  readonly remainingMs: number;
}

/** What a step finds where it runs. */
export interface StepSurroundings {
  readonly settings: Settings;
  readonly config: RuntimeConfig;
  readonly credentials: () => Promise<DatabaseCredentials>;
  readonly connect: typeof connect;
}

function lambdaSurroundings(): StepSurroundings {
  const settings = readSettings();
  const secrets = new SecretsManagerClient({ region: settings.region });
  const credentials = (): Promise<DatabaseCredentials> =>
    readCredentials(secrets, settings.databaseSecretArn);
  return { settings, config: readRuntimeConfig(), credentials, connect };
}

/**
 * Wires a step: settings and configuration, a database connection as the role whose secret the function has, a clock
 * and a log; ends its connections when the step is done or out of time. A Lambda that answered is frozen as it stands
 * and thawed for the next event: what was left under way would go on beside the next try.
 */
export function step<Event, Answer>(
  name: string,
  work: (event: Event, context: StepContext) => Promise<Answer>,
  surroundings: StepSurroundings = lambdaSurroundings(),
): (event: Event, context: Context) => Promise<Answer> {
  const { settings, config } = surroundings;
  const handler = middy<unknown, Answer>({
    timeoutEarlyInMillis: TIMEOUT_MARGIN_MS,
    timeoutEarlyResponse: () => {
      throw new ArchiverError('Interrupted', `${name} ran out of its time`);
    },
  }).handler(
    async (event: unknown, lambda: Context, { signal }: { signal: AbortSignal }): Promise<Answer> => {
      const log = logWith(consoleLog, { step: name, ...idsOf(event) });
      const { username, password } = await surroundings.credentials();
      const notices: string[] = [];
      const opened: Connection[] = [];
      const proxy: Endpoint = { host: settings.databaseHost, port: settings.databasePort };
      const open = (to: Endpoint = proxy): Connection => {
        signal.throwIfAborted();
        const connection = surroundings.connect(
          {
            ...to,
            database: settings.databaseName,
            user: username,
            password,
            tls: {},
            applicationName: `partition-archiver ${name}`,
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
        return await work(event as Event, {
          settings,
          config,
          connection,
          notices,
          open,
          clock: systemClock(signal),
          log,
          remainingMs: lambda.getRemainingTimeInMillis() - TIMEOUT_MARGIN_MS,
        });
      } catch (error) {
        // Lambda's own line about an error has no ids of ours.
        if (error instanceof ArchiverError) log.warn('failed', { error: error.code, message: error.message });
        throw error;
      } finally {
        await connection.end({ timeout: 1 });
      }
    },
  );
  // Lambda parses the event; what it may hold is the state machine's matter.
  return handler;
}
