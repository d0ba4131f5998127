/** Installing db/*.sql: again and again, by psql, and by an administrator who is no superuser, as on RDS. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import postgres from 'postgres';
import { connect } from '../../adapters/postgres/connect.ts';
import { installFiles, installArchiver } from '../../adapters/postgres/install.ts';
import { useArchiver } from '../support/archiver.ts';
import { stack, useDatabase } from '../support/database.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { partmanMajor } from '../support/partman.ts';
import { untilSomebodyWaits } from '../support/waiting.ts';

// Made from the template, so that the roles are there before anything here begins.
const archiver = useArchiver();
const byPsql = useDatabase();
const asOnRds = useDatabase();

const PASSWORD = 'for-tests-only';

const run = promisify(execFile);

test('installing again changes nothing', async () => {
  const { url, sql } = archiver().database;
  const dump = async (): Promise<string> => {
    const { stdout: help } = await run('pg_dump', ['--help']);
    const key = help.includes('--restrict-key') ? ['--restrict-key=oracle'] : [];
    return (await run('pg_dump', ['--schema-only', ...key, '--schema=partition_archiver_quarantine*', url]))
      .stdout;
  };
  const before = await dump();
  await installArchiver(sql);
  expect(await dump()).toBe(before);
});

test('psql installs it, and again over itself', async () => {
  const { url, sql } = byPsql();
  await sql`create schema partman`;
  await sql`create extension pg_partman schema partman`;
  await sql`create extension aws_s3 cascade`;
  for (const _ of [1, 2]) {
    await run('psql', ['-X', '-q', '-d', url, '-f', 'db/install.sql']);
  }
  const [installed] = await sql`select partition_archiver.schema_version() as version`;
  expect(installed).toEqual({ version: 1 });
});

/** The roles of db/*.sql belong to the server and are there already, made by a superuser. */
function renamed(text: string, prefix = 'rds'): string {
  return text.replace(/\b(archiver_owner|archiver_[a-z]+)\b/g, `${prefix}_$1`);
}

const roles = await readFile(new URL('../../db/schema/roles.sql', import.meta.url), 'utf8');

test.each([
  // Seen to fail without: the exception handler of "create role" ("duplicate key value").
  ['and neither finds the roles', renamed(roles, 'new')],
  // Seen to fail without: the comments in db/schema/roles.sql that come before all else ("tuple concurrently updated").
  ['and both find the roles', roles],
])('two databases of a server are prepared at once, %s', async (_, script) => {
  const second = await byPsql().sql.begin(async (transaction) => {
    await transaction.unsafe(script);
    const waiting = asOnRds().sql.begin((other) => other.unsafe(script));
    waiting.catch(() => undefined);
    await untilSomebodyWaits(asOnRds().sql);
    return { waiting };
  });
  await second.waiting;
  const { sql } = byPsql();
  const made = await sql<{ name: string }[]>`
    select rolname as name from pg_roles where rolname like 'new\\_arch%'`;
  for (const { name } of made) await sql.unsafe(`drop role ${name}`);
  expect(made).toHaveLength(script === roles ? 0 : 7);
});

// Seen to fail without: the grants "with inherit true, set true" in db/schema/roles.sql, on PostgreSQL 16 and later.
test('an administrator who is no superuser installs it, registers an owner, and all of it works', async () => {
  const { name, sql: superuser } = asOnRds();
  await superuser.unsafe(`create role rds_admin login createrole createdb password '${PASSWORD}'`);
  await superuser`alter database ${superuser(name)} owner to rds_admin`;
  await superuser`create extension aws_s3 cascade`;
  // RDS gives rds_superuser what its extensions bring, to be passed on.
  await superuser`grant usage on schema aws_s3, aws_commons to rds_admin with grant option`;
  await superuser`grant execute on all functions in schema aws_s3, aws_commons to rds_admin with grant option`;
  const { host, port } = stack().postgres;
  const admin = postgres({
    host,
    port,
    database: name,
    username: 'rds_admin',
    password: PASSWORD,
    max: 1,
    onnotice: () => undefined,
  });
  try {
    await admin`create schema partman`;
    const [offered] = await admin<[{ version: string }]>`
      select default_version as version from pg_available_extensions where name = 'pg_partman'`;
    if (offered.version.startsWith('4.')) {
      await superuser`create extension pg_partman schema partman`;
      await superuser`grant all on all tables in schema partman to rds_admin with grant option`;
      await superuser`grant all on all routines in schema partman to rds_admin with grant option`;
    } else {
      await admin`create extension pg_partman schema partman`;
    }
    expect(await partmanMajor(admin)).toBeGreaterThanOrEqual(4);

    for (const _ of [1, 2]) {
      await admin.begin(async (transaction) => {
        for (const file of await installFiles()) {
          await transaction.unsafe(
            renamed(await readFile(new URL(`../../db/${file}`, import.meta.url), 'utf8')),
          );
        }
      });
    }
    for (const role of ['maintain', 'read', 'drop']) {
      await admin.unsafe(`alter role rds_archiver_${role} password '${PASSWORD}'`);
    }
    await admin`create role rds_shop_owner`;
    await admin`grant rds_shop_owner to rds_admin`;
    // As pg_partman's documentation says; its template table goes to the owner.
    await admin`grant usage, create on schema partman to rds_shop_owner`;
    await createPartitionSet(admin, { schema: 'shop', table: 'sale', owner: 'rds_shop_owner' });
  } finally {
    await admin.end();
  }

  const { config, steps, run: archive } = archiver();
  const settings = config([{ schema: 'shop', table: 'sale', drop: true, graceDays: 0 }]);
  const { pooler } = stack();
  const ca = await readFile(pooler.caFile, 'utf8');
  const asRenamed = steps(settings, {
    open: (role, notices = []) =>
      connect(
        {
          host: pooler.host,
          port: pooler.port,
          database: name,
          user: `rds_${role}`,
          password: PASSWORD,
          tls: { ca },
          applicationName: 'test',
        },
        (notice) => notices.push(notice),
      ),
  });
  expect(await archive(settings, {}, asRenamed)).toMatchObject({
    archived: 2,
    dropped: 2,
    failed: 0,
    rows: 2000,
  });
});
