import { ArchiverError } from '../../../core/errors.ts';
import type { Clock } from '../../../core/ports.ts';
import type { PreflightProblem } from '../../../core/archive/preflight.ts';
import { withConnectionTries } from '../../../core/retry.ts';
import { translated, type Connection } from '../connect.ts';

/** Where tables are read past the proxy, and a way there. */
export interface VerifyEndpoint {
  readonly host: string;
  readonly port: number;
  /** Opens a connection there. */
  readonly open: () => Connection;
}

/**
 * What would make `verify` fail where it reads tables: the server does not answer, it is not let in, or it is another
 * database. A reader that is only behind is no problem: `verify` waits for it. A clone with the same system identifier is found
 * there too, by the ledger rows that it lacks.
 */
export async function readingProblems(
  writer: Connection,
  { host, port, open }: VerifyEndpoint,
  clock: Clock,
): Promise<PreflightProblem[]> {
  const subject = `verify endpoint ${host}:${String(port)}`;
  // A writer that cannot say who it is has problems that are told without this.
  const expected = await identity(writer).catch(() => null);
  if (expected === null) return [];
  try {
    const found = await withConnectionTries(clock, async () => {
      const reader = open();
      try {
        return await translated('reading there', () => identity(reader));
      } finally {
        await reader.end({ timeout: 1 });
      }
    });
    if (found === expected) return [];
    const problem = 'leads to another database than the one that is archived';
    return [{ subject, problem, remedy: 'Name a reader of this database in database.verifyEndpoint.' }];
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error;
    const remedy =
      'Correct database.verifyEndpoint, or let the functions in there (its security groups), or leave it out.';
    return [{ subject, problem: `cannot be used: ${error.message}`, remedy }];
  }
}

/** Two servers that return the same have the same database, or one is a copy of the other. */
async function identity(connection: Connection): Promise<string> {
  const [row] = await connection<[{ identity: string }]>`
    select jsonb_build_array(partition_archiver.system_identifier(), current_database(),
             (select oid from pg_database where datname = current_database()))::text as identity`;
  return row.identity;
}
