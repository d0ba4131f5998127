import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import postgres from 'postgres';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { KEPT_FILE, stack, stackDirectory } from './stack.ts';

export { stack } from './stack.ts';

/** A database of one test file. */
export interface TestDatabase {
  readonly name: string;
  /** As superuser, and directly, not through the pooler. */
  readonly sql: postgres.Sql;
  readonly url: string;
}

/** `empty` has nothing; `archiver` has pg_partman (schema partman), aws_s3 and the objects and roles of db/. */
export type Template = 'empty' | 'archiver';

const ARCHIVER_TEMPLATE = 'template_archiver';

/** Any number: it only has to be the same in every worker. */
const TEMPLATE_LOCK = 7_204_163;

/**
 * Gives the test file a database of its own, made before its first test. It goes with the run's server, which is kept, and
 * said so, when a test failed. To drop each of them costs more than their space: ext4 without a journal looks at each inode that
 * was deleted in the last minutes whenever it makes a file, which was a tenth of the server's processor time. A connection
 * that is still open at the end fails the file.
 */
export function useDatabase(options: { template?: Template } = {}): () => TestDatabase {
  let database: TestDatabase | undefined;

  beforeAll(async () => {
    database = await createDatabase(options.template ?? 'empty');
  });

  afterAll(async () => {
    if (database === undefined) return;
    const { name, sql } = database;
    await sql.end({ timeout: 5 });
    const leaked = await leakedConnections(name);
    if ((globalThis as { aTestFailed?: boolean }).aTestFailed === true) {
      appendFileSync(join(stackDirectory(), KEPT_FILE), `${name}\n`);
    }
    if (leaked.length > 0) throw new Error(`connections were left open: ${leaked.join('; ')}`);
  });

  return () => {
    if (database === undefined) throw new Error('the database exists only while tests run');
    return database;
  };
}

async function createDatabase(template: Template): Promise<TestDatabase> {
  const file = expect.getState().testPath ?? '';
  const base = file.slice(file.lastIndexOf('/') + 1).replace(/\.test\.ts$/, '');
  const unique = createHash('sha256')
    .update(`${file} ${String(process.pid)} ${String(process.hrtime.bigint())}`)
    .digest('hex');
  const name = `${base.slice(0, 40)}-${unique.slice(0, 8)}`;
  await asSuperuser('postgres', async (admin) => {
    // Template databases must be copied one at a time, too: PostgreSQL refuses while another copy is begun.
    await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    if (template === 'archiver') await ensureArchiverTemplate(admin);
    const source = template === 'archiver' ? ARCHIVER_TEMPLATE : 'template1';
    await admin.unsafe(`create database "${name}" template ${source}`);
  });
  const { host, port, superuser } = stack().postgres;
  const url = `postgres://${superuser.user}:${superuser.password}@${host}:${String(port)}/${name}`;
  return { name, url, sql: connect(name, 10) };
}

async function ensureArchiverTemplate(admin: postgres.Sql): Promise<void> {
  const found = await admin`select from pg_database where datname = ${ARCHIVER_TEMPLATE}`;
  if (found.length > 0) return;
  // Under another name while it is made, so that a failure half way leaves no template that looks complete.
  const building = `${ARCHIVER_TEMPLATE}_building`;
  await admin.unsafe(`drop database if exists ${building} with (force)`);
  await admin.unsafe(`create database ${building}`);
  await asSuperuser(building, async (sql) => {
    await sql`create schema partman`;
    await sql`create extension pg_partman schema partman`;
    await sql`create extension aws_s3 cascade`;
    await installArchiver(sql);
  });
  await admin.unsafe(`alter database ${building} rename to ${ARCHIVER_TEMPLATE}`);
}

async function asSuperuser<Result>(
  database: string,
  work: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = connect(database, 1);
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function connect(database: string, max: number): postgres.Sql {
  const { host, port, superuser } = stack().postgres;
  const { user: username, password } = superuser;
  return postgres({ host, port, database, username, password, max, onnotice: () => undefined });
}

/**
 * Who is still connected to a database: directly, or as a client of the pooler. The pooler's own connections to
 * the server outlive their clients by design and do not count.
 */
async function leakedConnections(database: string): Promise<string[]> {
  let leaked: string[] = [];
  // A connection that was closed just now may take a moment to go.
  for (let attempt = 0; attempt < 40; attempt++) {
    const clients = await poolerClients(database);
    // The pooler comes by the server's socket, and has no address.
    const direct = await asSuperuser(
      'postgres',
      (admin) => admin<{ query: string }[]>`
        select query from pg_stat_activity
        where datname = ${database} and backend_type = 'client backend' and client_addr is not null`,
    );
    leaked = [
      ...direct.map(({ query }) => `a direct one, last query ${JSON.stringify(query.slice(0, 80))}`),
      ...clients.map((user) => `one of ${user} to the pooler`),
    ];
    if (leaked.length === 0) break;
    await sleep(50);
  }
  return leaked;
}

async function poolerClients(database: string): Promise<string[]> {
  const { host, port, caFile, admin } = stack().pooler;
  const adminConsole = postgres({
    host,
    port,
    database: 'pgbouncer',
    username: admin.user,
    password: admin.password,
    ssl: { ca: readFileSync(caFile) },
    max: 1,
    fetch_types: false,
  });
  try {
    // PgBouncer's console knows the simple protocol only.
    const clients = await adminConsole.unsafe<{ user: string; database: string }[]>('show clients').simple();
    return clients.filter((client) => client.database === database).map(({ user }) => user);
  } finally {
    await adminConsole.end({ timeout: 1 });
  }
}
