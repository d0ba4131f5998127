import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';

/**
 * Roles belong to the whole server: test files that make, alter or grant the same one at once meet "tuple concurrently
 * updated" or a duplicate key. Tries again until the others are through.
 */
export async function withRoleRetries<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      // Errors of Node's own modules are no `Error` of jest's realm.
      const text = String((error as { message?: unknown }).message);
      const isRace = /tuple concurrently|pg_auth_members|pg_authid|pg_db_role_setting/.test(text);
      if (!isRace || attempt === 20) throw error;
      await sleep(20 * attempt);
    }
  }
}

/** Makes roles of an application, where they are not there. Roles belong to the whole server, so they are kept. */
export async function makeRoles(sql: postgres.Sql, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await sql.unsafe(
      `do $$ begin create role ${name}; exception when duplicate_object or unique_violation then null; end $$`,
    );
  }
}
