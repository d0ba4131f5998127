import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';

/** Schema of the tables that are being restored. */
export const WORK_SCHEMA = 'partition_archiver_restore';

/** How long one statement may take, and a connection of its own for each. */
export interface RestoreConnections {
  readonly open: () => Connection;
  /** Below the time that the caller has; RDS Proxy passes no cancel request on. */
  readonly timeoutMs: number;
}

/** How the pieces of a restore reach the database. */
export interface Sessions {
  /** A connection for one piece of work: imports run side by side, and one that streamed a COPY is not used again. */
  readonly using: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  readonly transaction: <T>(doing: string, work: (transaction: Transaction) => Promise<T>) => Promise<T>;
  /**
   * Runs one statement in a single message, settings and commit included, so that the server finishes and commits it
   * even if its client is gone: for what may take longer than the client has. Returns the value of its first column.
   */
  readonly detached: (doing: string, settings: Settings, statement: string) => Promise<unknown>;
}

type Settings = Readonly<Record<string, string>>;

/** Longest statement that the server continues with alone: an index over a large partition. */
const DETACHED_TIMEOUT_MS = 24 * 60 * 60_000;

/** Sessions as `archiver_restore`. */
export function sessionsOf({ open, timeoutMs }: RestoreConnections): Sessions {
  const using: Sessions['using'] = async (work) => {
    const connection = open();
    try {
      return await work(connection);
    } finally {
      await connection.end({ timeout: 5 });
    }
  };
  return {
    using,
    transaction: (doing, work) =>
      using((connection) =>
        inTransaction(connection, doing, async (tx) => {
          await set(tx, { statement_timeout: String(timeoutMs) });
          return work(tx);
        }),
      ),
    detached: (doing, settings, statement) =>
      using((connection) =>
        translated(doing, async () => {
          const all = { ...settings, statement_timeout: String(DETACHED_TIMEOUT_MS) };
          const values = Object.entries(all).map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
          const results = (await connection.unsafe(
            `select set_config(name, value, true) from (values ${values.join(', ')}) s (name, value); ${NO_TRANSACTION_TIMEOUT}; ${statement}`,
          )) as unknown as Record<string, unknown>[][];
          return Object.values(results.at(-1)?.[0] ?? {})[0];
        }),
      ),
  };
}

/** Since 17 a role may have a limit for its transactions as a whole; ours has one that a restore would meet. */
const NO_TRANSACTION_TIMEOUT = `select set_config('transaction_timeout', '0', true) where current_setting('server_version_num')::integer >= 170000`;

/** Settings for the rest of the transaction. */
export async function set(transaction: Transaction, settings: Settings): Promise<void> {
  await transaction`
    select set_config(name, value, true)
      from jsonb_each_text(${transaction.json(settings)}::jsonb) as s (name, value)`;
  await transaction.unsafe(NO_TRANSACTION_TIMEOUT);
}

/** A text as a constant of SQL, whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return text.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}
