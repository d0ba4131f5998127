import { afterAll } from '@jest/globals';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { stack } from './stack.ts';

/** Connects to a database as an administrator: directly, and here as the superuser. */
export function asAdministrator(
  database: string,
  settings: Partial<Parameters<typeof connect>[0]> = {},
  onNotice?: (notice: string) => void,
): Connection {
  const { host, port, superuser } = stack().postgres;
  const where = { host, port, database, ...superuser, tls: false, applicationName: 'test' } as const;
  return connect({ ...where, ...settings }, onNotice);
}

/**
 * The same for a test file: its connections are ended after its last test. To be called before `useDatabase`, which looks
 * for connections that were left open.
 */
export function useAdministrator(): typeof asAdministrator {
  const opened: Connection[] = [];
  afterAll(async () => {
    for (const each of opened) await each.end();
  });
  return (...parameters) => {
    const connection = asAdministrator(...parameters);
    opened.push(connection);
    return connection;
  };
}
