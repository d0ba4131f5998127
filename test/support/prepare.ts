import type { Connection } from '../../adapters/postgres/connect.ts';
import { prepareDatabase } from '../../adapters/postgres/setup/prepare.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { prepare, type Preparation, type PrepareOptions } from '../../core/setup/prepare.ts';
import { silentLog } from '../../core/ports.ts';
import { ROLE_PASSWORD } from './archiver.ts';

/** A configuration of tables, each `schema.table`; none of them, for the installation alone. */
export function setsOf(tables: readonly string[]): RuntimeConfig['partitionSets'] {
  return tables.flatMap((name) => {
    const [schema, table] = name.split('.');
    const parsed = parseRuntimeConfig({ partitionSets: [{ schema, table }] });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.config.partitionSets;
  });
}

/** Prepares; roles belong to the whole server, so that other test files may be at the same ones just now. */
export async function prepared(
  connection: Connection,
  tables: readonly string[],
  options: Partial<PrepareOptions> = {},
): Promise<Preparation> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await prepare(prepareDatabase(connection), {
      secretOf: (role) => Promise.resolve({ username: role, password: ROLE_PASSWORD }),
      guard: true,
      log: silentLog,
      partitionSets: setsOf(tables),
      ...options,
    });
    const raced = result.problems.some(({ problem }) =>
      /tuple concurrently|SQLSTATE 23505|SQLSTATE 42710/.test(problem),
    );
    if (!raced || attempt === 20) return result;
  }
}
