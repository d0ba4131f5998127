import { ArchiverError } from '../../core/errors.ts';
import type { Transaction } from './connect.ts';

/** The installed pg_partman. */
export interface PartmanExtension {
  readonly schema: string;
  /** Major version: 4 or 5. */
  readonly major: number;
}

/** Finds the schema and version of pg_partman. `PreflightFailed` where it is not installed. */
export async function partmanExtension(transaction: Transaction): Promise<PartmanExtension> {
  const [extension] = await transaction<PartmanExtension[]>`
    select n.nspname as schema, split_part(e.extversion, '.', 1)::integer as major
      from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman'`;
  if (extension !== undefined) return extension;
  throw new ArchiverError(
    'PreflightFailed',
    'extension pg_partman is not installed: start PrepareDatabase, or run npm run archive -- prepare',
  );
}
