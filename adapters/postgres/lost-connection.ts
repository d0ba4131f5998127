import type postgres from 'postgres';
import { ArchiverError } from '../../core/errors.ts';

/** How often a client's connection was closed so far. */
export interface Closes {
  times: number;
}

/**
 * A client that asks for nothing more once its connection was closed. The driver would open another one, but it
 * hands the last words of the lost server to the next caller, or a TypeError about the socket that is gone. So this
 * client is at its end; the step is tried again with a new one.
 */
export function whileOpen(client: postgres.Sql, closes: Closes): postgres.Sql {
  const assertOpen = (): void => {
    if (closes.times > 0) {
      throw new ArchiverError('DatabaseUnavailable', 'the connection was closed, and another one is needed');
    }
  };
  return new Proxy(client, {
    apply: (target, self, parameters) => {
      assertOpen();
      const called: unknown = Reflect.apply(target as never, self, parameters);
      return called;
    },
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'begin' && name !== 'unsafe' && name !== 'reserve') return value;
      return (...parameters: unknown[]) => {
        assertOpen();
        const called: unknown = Reflect.apply(value as () => unknown, target, parameters);
        return called;
      };
    },
  });
}

/**
 * Runs the work of a transaction, and lets nothing more be sent once its connection was closed. The driver (postgres
 * 3.4.9) would write to a socket that is not there any more, be it for the next query or for its own ROLLBACK or
 * COMMIT, and that ends the whole process by an uncaught TypeError. So the work is left unanswered from then on: the
 * driver has rejected the transaction itself.
 */
export function whileConnected<T>(
  transaction: postgres.TransactionSql,
  closes: Closes,
  work: (transaction: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const before = closes.times;
  const isConnected = (): boolean => closes.times === before;
  const assertConnected = (): void => {
    if (!isConnected()) throw new ArchiverError('DatabaseUnavailable', 'the connection was closed');
  };
  const guarded = new Proxy(transaction, {
    apply: (target, self, parameters) => {
      assertConnected();
      const called: unknown = Reflect.apply(target as never, self, parameters);
      return called;
    },
    get: (target, name) => {
      if (name !== 'unsafe') return Reflect.get(target, name) as unknown;
      return (...parameters: Parameters<typeof target.unsafe>) => {
        assertConnected();
        return target.unsafe(...parameters);
      };
    },
  });
  return new Promise((resolve, reject) => {
    work(guarded).then(
      (answer) => {
        if (isConnected()) resolve(answer);
      },
      (error: unknown) => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is whatever the work threw
        if (isConnected()) reject(error);
      },
    );
  });
}
