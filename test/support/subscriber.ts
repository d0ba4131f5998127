import { setTimeout as sleep } from 'node:timers/promises';
import type { UpgradableServer } from './upgradable-server.ts';

/** The server's superuser, as upgradable-server.ts has it. */
export const SUPERUSER = { user: 'postgres', password: 'for-tests-only' };

/** Statements as superuser on a server of a test's own, and logical subscribers in its databases. */
export interface Replication {
  /** Runs statements on a connection of their own; returns the rows of the last one. */
  on(database: string, ...statements: string[]): Promise<Record<string, unknown>[]>;
  /** Until a query finds something. */
  until(database: string, query: string): Promise<void>;
  /** Has `<database>_copy`, whose tables are there, subscribe to a publication, from now on. */
  subscribe(database: string, publication: string): Promise<void>;
  unsubscribe(database: string): Promise<void>;
}

/** For a server with `wal_level = logical`. */
export function replicationOn(server: () => UpgradableServer): Replication {
  const on: Replication['on'] = async (database, ...statements) => {
    const sql = server().connect(database);
    try {
      let rows: Record<string, unknown>[] = [];
      for (const statement of statements) rows = await sql.unsafe(statement);
      return rows;
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const until: Replication['until'] = async (database, query) => {
    for (let tries = 0; (await on(database, query)).length === 0; tries += 1) {
      if (tries > 100) throw new Error(`never: ${query}`);
      await sleep(100);
    }
  };
  const slots = 'select from pg_replication_slots where slot_name =';
  return {
    on,
    until,
    subscribe: async (database, publication) => {
      const { host, port } = server();
      // Within one server, a subscription that makes its slot itself waits for its own transaction.
      await on(database, `select pg_create_logical_replication_slot('${database}_slot', 'pgoutput')`);
      await on(
        `${database}_copy`,
        `create subscription ${database}_sub
           connection 'host=${host} port=${String(port)} dbname=${database} user=${SUPERUSER.user} password=${SUPERUSER.password}'
           publication ${publication} with (create_slot = false, slot_name = '${database}_slot', copy_data = false)`,
      );
      await until(database, `${slots} '${database}_slot' and active`);
    },
    unsubscribe: async (database) => {
      await on(
        `${database}_copy`,
        `alter subscription ${database}_sub disable`,
        `alter subscription ${database}_sub set (slot_name = none)`,
        `drop subscription ${database}_sub`,
      );
      await until(database, `${slots} '${database}_slot' and not active`);
      await on(database, `select pg_drop_replication_slot('${database}_slot')`);
    },
  };
}
