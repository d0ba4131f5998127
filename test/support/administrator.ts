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
