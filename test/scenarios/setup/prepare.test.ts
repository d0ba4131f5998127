/** Preparing a database: from nothing, again, by an administrator who may not do all of it, and by hand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Connection } from '../../../adapters/postgres/connect.ts';
import { installationFiles, prepareDatabase } from '../../../adapters/postgres/setup/prepare.ts';
import { scramVerifier } from '../../../adapters/postgres/setup/scram.ts';
import { parseRuntimeConfig } from '../../../core/config/runtime.ts';
import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import { prepare, type Preparation, type PrepareOptions } from '../../../core/setup/prepare.ts';
import { LOGIN_ROLES } from '../../../core/setup/prepare-database.ts';
import { preparationScript } from '../../../core/setup/prepare-script.ts';
import { silentLog } from '../../../core/ports.ts';
import { asAdministrator } from '../../support/administrator.ts';
import { ROLE_PASSWORD } from '../../support/archiver.ts';
import { runCommand } from '../../support/command.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { withRoleRetries } from '../../support/roles.ts';

const blank = useDatabase();
const modest = useDatabase();
const byHand = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'prepare-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const setsOf = (...tables: string[]): readonly PartitionSetConfig[] => {
  const parsed = parseRuntimeConfig({ partitionSets: tables.map((table) => ({ schema: 'shop', table })) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config.partitionSets;
};

const OPTIONS: Omit<PrepareOptions, 'partitionSets'> = {
  secretOf: (role) => Promise.resolve({ username: role, password: ROLE_PASSWORD }),
  guard: true,
  log: silentLog,
};

/** Prepares; roles belong to the whole server, so that other test files may be at the same ones just now. */
async function prepared(
  connection: Connection,
  tables: readonly string[],
  options: Partial<PrepareOptions> = {},
): Promise<Preparation> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await prepare(prepareDatabase(connection), {
      ...OPTIONS,
      partitionSets: setsOf(...tables),
      ...options,
    });
    const raced = result.problems.some(({ problem }) =>
      /tuple concurrently|SQLSTATE 23505|SQLSTATE 42710/.test(problem),
    );
    if (!raced || attempt === 20) return result;
  }
}

test('an empty database is prepared from nothing, twice, and its roles can log in', async () => {
  const { name, sql } = blank();
  const connection = asAdministrator(name);
  try {
    const first = await prepared(connection, ['sale']);
    expect(first.done).toEqual([
      'extension pg_partman',
      'extension aws_s3',
      'roles, ledger, functions and grants',
      ...['maintain', 'read', 'stream', 'drop', 'restore'].map((role) => `password of archiver_${role}`),
      'event trigger that guards the tables of the ledger',
    ]);
    expect(first.problems).toEqual([
      {
        subject: 'shop.sale',
        problem: expect.stringContaining('there is no such table'),
        remedy: expect.any(String),
      },
    ]);

    const owner = 'prepared_owner';
    await createPartitionSet(sql, { schema: 'shop', table: 'sale', owner, months: 2, rowsPerMonth: 2 });
    await withRoleRetries(() => sql.unsafe(`revoke ${owner} from archiver_owner, archiver_maintain`));
    for (const _ of [1, 2]) {
      const again = await prepared(connection, ['sale']);
      // Seen to fail without: the registration of owners.
      expect(again.problems).toEqual([]);
      // What the stand-in for aws_s3 needs, and nobody needs on RDS.
      expect(again.advice.map(({ problem }) => problem)).toEqual([
        'is a member of pg_execute_server_program, whose rights it does not need',
        'is a member of pg_execute_server_program, whose rights it does not need',
      ]);
      expect(again.done).toContain('owner prepared_owner of shop');
    }

    const { host, port, caFile } = stack().pooler;
    for (const role of ['archiver_maintain', 'archiver_restore']) {
      const { stdout } = await runCommand('psql', ['-XAtc', 'select current_user'], {
        PGHOST: host,
        PGPORT: String(port),
        PGDATABASE: name,
        PGUSER: role,
        PGPASSWORD: ROLE_PASSWORD,
        PGSSLMODE: 'verify-ca',
        PGSSLROOTCERT: caFile,
      });
      expect(stdout.trim()).toBe(role);
    }
  } finally {
    await connection.end();
  }
});

test('a verifier is what the server would have made of the password, and never holds it', async () => {
  const { sql } = blank();
  const role = `scram_${blank().name.slice(-8)}`;
  await sql.unsafe(`create role ${role} password 'it''s "secret" $1\\'`);
  const [{ stored }] = await sql<
    [{ stored: string }]
  >`select rolpassword as stored from pg_authid where rolname = ${role}`;
  await sql.unsafe(`drop role ${role}`);
  const salt = Buffer.from(/:(.*?)\$/.exec(stored)?.[1] ?? '', 'base64');
  expect(scramVerifier(role, `it's "secret" $1\\`, { salt })).toBe(stored);
  expect(() => scramVerifier('archiver_drop', 'pässword')).toThrow('archiver_drop');
});

test('what somebody else has to do is reported with the statement, and the rest is done', async () => {
  const { name, sql } = modest();
  const user = `modest_${name.slice(-8)}`;
  const password = 'for-tests-only';
  await sql.unsafe(`create role ${user} login password '${password}'`);
  const lowly = asAdministrator(name, { user, password });
  try {
    const refused = await prepared(lowly, ['sale']);
    expect(refused.done).toEqual([]);
    expect(refused.problems).toEqual([
      {
        subject: `role ${user}`,
        problem: 'may not create roles',
        remedy: expect.stringContaining(`alter role ${user} createrole`),
      },
    ]);

    await sql.unsafe(`alter role ${user} createrole`);
    const partly = await prepared(lowly, ['sale']);
    expect(partly.problems.map(({ remedy }) => remedy)).toEqual(
      expect.arrayContaining([
        'create schema if not exists partman; create extension if not exists pg_partman schema partman;',
        'create extension if not exists aws_s3 cascade;',
      ]),
    );
  } finally {
    await lowly.end();
    await sql.unsafe(`drop owned by ${user}; drop role ${user}`);
  }

  const connection = asAdministrator(name);
  try {
    const secretOf = (): Promise<{ username: string; password: string }> =>
      Promise.resolve({ username: 'postgres', password: 'x' });
    const wrong = await prepared(connection, ['sale'], { secretOf, guard: false });
    expect(wrong.problems).toContainEqual({
      subject: 'role archiver_drop',
      problem: 'its secret names the user "postgres"',
      remedy: 'Let "username" of that secret be archiver_drop.',
    });
  } finally {
    await connection.end();
  }
});

// Seen to fail without `byIam` in core/setup/prepare.ts: the database was ready, and no run could log in.
test('roles that log in by IAM have to be members of rds_iam, and are not made so', async () => {
  const connection = asAdministrator(blank().name);
  const options = { secretOf: () => Promise.resolve(undefined), guard: false };
  const withoutIam = async (byIam: boolean): Promise<string[]> => {
    const { problems } = await prepared(connection, ['sale'], { ...options, byIam });
    return problems.filter(({ problem }) => problem.includes('rds_iam')).map(({ subject }) => subject);
  };
  try {
    // A server that is not RDS has no such role.
    expect(await withoutIam(true)).toEqual([]);
    await connection.unsafe('create role rds_iam nologin');
    expect(await withoutIam(false)).toEqual([]);
    expect(await withoutIam(true)).toEqual([...LOGIN_ROLES].sort().map((role) => `role ${role}`));
    await withRoleRetries(() => connection.unsafe(`grant rds_iam to ${LOGIN_ROLES.join(', ')}`));
    expect(await withoutIam(true)).toEqual([]);
  } finally {
    await withRoleRetries(() => connection.unsafe('drop role if exists rds_iam'));
    await connection.end();
  }
});

test('the printed script does the same by psql, and shows nothing missing', async () => {
  const { name, url, sql } = byHand();
  await sql`create schema partman`;
  await sql`create extension pg_partman schema partman`;
  await sql`create extension aws_s3 cascade`;
  const connection = asAdministrator(name);
  try {
    await prepared(connection, ['sale'], { guard: false });
    const owner = `Hand owner ${name.slice(-8)}`;
    await createPartitionSet(sql, {
      schema: 'shop',
      table: 'sale',
      owner,
      months: 2,
      rowsPerMonth: 2,
    });
    await withRoleRetries(() => sql.unsafe(`revoke "${owner}" from archiver_owner, archiver_maintain`));
    await sql.unsafe('drop extension aws_s3 cascade');

    const facts = await prepareDatabase(connection).facts(setsOf('sale', 'not_there'));
    const script = preparationScript(
      facts,
      { partitionSets: setsOf('sale', 'not_there') },
      await installationFiles(),
    );
    expect(script).toContain('-- There is no table shop.not_there');
    const file = join(folder, 'prepare.sql');
    writeFileSync(file, script.replace(/,?\{[^{}]*"not_there"[^{}]*\}/, ''));
    const answer = await withRoleRetries(async () => {
      const result = await runCommand('psql', ['-XAtq', '-d', url, '-f', file]);
      if (result.code !== 0) throw new Error(result.stderr);
      return result;
    });
    expect(answer.stdout.trim()).toBe('');
    expect(
      await sql`select pg_has_role('archiver_owner', ${owner}, 'usage') as member,
                            exists (select from pg_event_trigger where evtname = 'partition_archiver_guard') as guard`,
    ).toEqual([{ member: true, guard: true }]);
    await sql.unsafe(`drop owned by "${owner}" cascade`).catch(() => undefined);
  } finally {
    await connection.end();
  }
});
