/** What the tests of the DDL archive share: a round trip with `pg_dump -s` as the oracle. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type postgres from 'postgres';
import { quote } from '../../support/archives.ts';
import type { TestDatabase } from '../../support/database.ts';
import { makeRoles } from '../../support/roles.ts';

const run = promisify(execFile);

/** What `capture_ddl` returns, as far as the tests look at it. */
export interface Capture {
  readonly marker: string;
  readonly schema: string;
  readonly name: string;
  readonly refused: readonly string[];
  readonly structure: readonly string[];
  readonly foreign_keys: readonly string[];
  readonly foreign_triggers: readonly string[];
  readonly row_security: readonly string[];
  readonly sequence_values: readonly string[];
  readonly ownership: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly dependencies: readonly {
    readonly kind: string;
    readonly identity: string;
    readonly definition?: string;
    readonly extension?: string;
  }[];
}

/** A table by its catalog names, which may hold anything. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** A qualified name, quoted. */
export function qualified({ schema, name }: TableName): string {
  return `${quote(schema)}.${quote(name)}`;
}

/** The roles that the fixtures grant to and give tables to. Roles belong to the whole server, so they are kept. */
export async function createRoles(sql: postgres.Sql): Promise<void> {
  await makeRoles(sql, 'ddl_owner', 'ddl_grantee', 'ddl_second', quote('ddl Weird"x'));
  // Test files run side by side, and two grants of the same membership would update the same row.
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(hashtext('ddl roles'))`;
    await transaction`grant ddl_owner, ddl_grantee to archiver_owner`;
  });
}

/** OID of a table. */
export async function oidOf(sql: postgres.Sql, table: TableName): Promise<number> {
  const [row] = await sql<{ oid: number }[]>`
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${table.schema} and c.relname = ${table.name}`;
  if (row === undefined) {
    throw new Error(`no table ${qualified(table)}`);
  }
  return row.oid;
}

/** The captured DDL of a table that is where it was. */
export async function capture(sql: postgres.Sql, table: TableName): Promise<Capture> {
  const oid = await oidOf(sql, table);
  const [row] = await sql<{ ddl: Capture }[]>`select partition_archiver.capture_ddl(${oid}) as ddl`;
  return (row as { ddl: Capture }).ddl;
}

/** Statements for a target. */
export async function render(
  sql: postgres.Sql,
  ddl: Capture,
  target: TableName,
  sections: readonly string[] | null = null,
): Promise<string[]> {
  const [row] = await sql<{ statements: string[] }[]>`
    select partition_archiver.render_ddl(${sql.json(ddl as never)}, ${target.schema}, ${target.name},
      ${sections === null ? null : sql.array([...sections])}::text[]) as statements`;
  return (row as { statements: string[] }).statements;
}

/** Runs captured DDL on trial. */
export async function tryDdl(sql: postgres.Sql, ddl: Capture): Promise<void> {
  await sql`select partition_archiver.try_ddl(${sql.json(ddl as never)})`;
}

/** Runs statements one by one in one transaction, as a restore would. */
export async function execute(sql: postgres.Sql, statements: readonly string[]): Promise<void> {
  await sql.begin(async (transaction) => {
    for (const statement of statements) {
      await transaction.unsafe(statement);
    }
  });
}

/** The oracle: what `pg_dump -s` says of one table. `-t` takes a pattern, in which quoted names stand for themselves. */
export async function dump(database: TestDatabase, table: TableName): Promise<string> {
  const { stdout: help } = await run('pg_dump', ['--help']);
  // Recent minor releases write a random token into each dump unless it is given.
  const restrict = help.includes('--restrict-key') ? ['--restrict-key=oracle'] : [];
  const { stdout } = await run('pg_dump', [
    '--schema-only',
    ...restrict,
    `--table=${qualified(table)}`,
    database.url,
  ]);
  return stdout;
}

/** What a round trip found: two dumps, which ought to be equal, and the DDL that it went through. */
export interface RoundTrip {
  readonly before: string;
  readonly after: string;
  readonly ddl: Capture;
}

/**
 * Dumps a table, captures its DDL as `quarantine` does (by its owner's member, after it was renamed), tries it, drops
 * the table, makes it again from the DDL, and dumps that.
 */
export async function roundTrip(database: TestDatabase, table: TableName): Promise<RoundTrip> {
  const { sql } = database;
  const before = await dump(database, table);
  const oid = await oidOf(sql, table);
  const ddl = await sql.begin(async (transaction) => {
    const quarantined = `quarantine_${String(oid)}`;
    await transaction.unsafe(`alter table ${qualified(table)} rename to ${quarantined}`);
    await transaction.unsafe('set local role archiver_owner');
    const [row] = await transaction<{ ddl: Capture }[]>`
      select partition_archiver.capture_ddl(${oid}, ${table.schema}, ${table.name}) as ddl`;
    const captured = (row as { ddl: Capture }).ddl;
    await tryDdl(transaction as unknown as postgres.Sql, captured);
    await transaction.unsafe('reset role');
    await transaction.unsafe(`drop table ${quote(table.schema)}.${quarantined}`);
    return captured;
  });
  await execute(sql, await render(sql, ddl, table));
  return { before, after: await dump(database, table), ddl };
}
