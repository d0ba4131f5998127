import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoginRole } from '../../core/setup/prepare-database.ts';
import type { Environment } from './environment.ts';

const ROLES: readonly LoginRole[] = ['archiver_maintain', 'archiver_read', 'archiver_drop'];

/** A statement as the server logged it. */
export interface Statement {
  readonly role: string;
  /** In one line, parameters as $1. */
  readonly text: string;
}

/** All statements that the steps' database roles send while `work` runs, out of the server's own log. */
export async function statementsOf(
  { stack, sql }: Environment,
  work: () => Promise<unknown>,
): Promise<Statement[]> {
  const file = join(stack.directory, 'log', 'postgres.log');
  await logStatements(sql, 'all');
  await stack.restartPooler();
  const start = statSync(file).size;
  try {
    await work();
    // The server writes a line before it responds, but through a pipe.
    await sleep(300);
  } finally {
    await logStatements(sql, 'none');
    await stack.restartPooler();
  }
  return parse(readFileSync(file).subarray(start).toString('utf8'));
}

async function logStatements(sql: Environment['sql'], which: 'all' | 'none'): Promise<void> {
  for (const role of ROLES) await sql.unsafe(`alter role ${role} set log_statement = '${which}'`);
}

/** Lines as log_line_prefix of the stack has them; those that begin with white space belong to the one before. */
function parse(log: string): Statement[] {
  const statements: Statement[] = [];
  for (const entry of log.split(/\n(?=\d{4}-\d\d-\d\d )/)) {
    const found = /^\S+ \S+ \S+ \[\d+\] (\w+)@\S+ LOG: {2}(?:execute [^:]*|statement): ([^]*)$/.exec(entry);
    const [, role = '', text = ''] = found ?? [];
    if (found !== null && ROLES.includes(role as LoginRole)) {
      statements.push({ role, text: text.replaceAll(/\s+/g, ' ').trim() });
    }
  }
  return statements;
}
