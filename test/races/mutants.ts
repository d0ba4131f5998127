/**
 * Four ways to archive and drop a detached table, three of which lose rows when somebody writes meanwhile: they prove that
 * the harness finds what it looks for. The archive is what was read, in memory.
 */
import type postgres from 'postgres';
import type { Lines } from '../support/invariant.ts';

/** Drops the table, or not; returns the archive if it did. */
export type Way = (sql: postgres.Sql, table: string) => Promise<Lines | null>;

interface Reading {
  readonly lines: Lines;
  readonly fingerprint: string;
}

async function read(tx: postgres.ISql, table: string): Promise<Reading> {
  const rows = await tx.unsafe<{ line: string }[]>(
    `select concat_ws(E'\\t', id, ts, customer_id, payload) as line from only ${table}`,
  );
  const lines = rows.map(({ line }) => line).sort();
  return { lines: new Map(lines.map((line) => [line, 1])), fingerprint: lines.join('\n') };
}

/** Export, compare the counts, DROP … CASCADE: the recipe done by hand. */
const naive: Way = async (sql, table) => {
  const { lines } = await read(sql, table);
  const [counted] = await sql.unsafe<{ rows: number }[]>(`select count(*)::integer as rows from ${table}`);
  if (counted?.rows !== lines.size) return null;
  await sql.unsafe(`drop table ${table} cascade`);
  return lines;
};

/** Compares all of the contents, but nothing keeps them as they are. */
const fingerprintWithoutLock: Way = async (sql, table) => {
  const before = await read(sql, table);
  const after = await read(sql, table);
  if (after.fingerprint !== before.fingerprint) return null;
  await sql.unsafe(`drop table ${table}`);
  return before.lines;
};

/** Locks and compares under the lock, but with a snapshot from before it, which sees nothing of what it waited for. */
const lockAfterSnapshot: Way = async (sql, table) => {
  const before = await read(sql, table);
  return dropIfSame(sql, 'repeatable read', before, table, (tx) => tx`select from pg_class limit 1`);
};

/** The lock first, in READ COMMITTED: what the prototype of this archiver did, and the control of the experiment. */
const lockFirst: Way = async (sql, table) => {
  const before = await read(sql, table);
  return dropIfSame(sql, 'read committed', before, table, () => Promise.resolve());
};

async function dropIfSame(
  sql: postgres.Sql,
  isolation: string,
  before: Reading,
  table: string,
  first: (tx: postgres.TransactionSql) => PromiseLike<unknown>,
): Promise<Lines | null> {
  const dropped: unknown = await sql.begin(`isolation level ${isolation}`, async (tx) => {
    await first(tx);
    await tx.unsafe(`lock table ${table} in access exclusive mode`);
    const after = await read(tx, table);
    if (after.fingerprint !== before.fingerprint) return false;
    await tx.unsafe(`drop table ${table}`);
    return true;
  });
  return dropped === true ? before.lines : null;
}

/** Ways that must lose rows. */
export const MUTANTS = {
  'export, count, drop cascade': naive,
  'fingerprint without lock': fingerprintWithoutLock,
  'lock after snapshot': lockAfterSnapshot,
} as const satisfies Record<string, Way>;

/** A way that must not. */
export const CONTROL: Way = lockFirst;
