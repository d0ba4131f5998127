import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { stack, useDatabase } from '../support/database.ts';

const database = useDatabase();

function pooled(options: postgres.Options<Record<string, never>> = {}): postgres.Sql {
  const { host, port, caFile } = stack().pooler;
  const { user, password } = stack().postgres.superuser;
  return postgres({
    host,
    port,
    database: database().name,
    username: user,
    password,
    prepare: false,
    max: 1,
    ssl: { ca: readFileSync(caFile) },
    onnotice: () => undefined,
    ...options,
  });
}

describe('the pooler in RDS Proxy’s place', () => {
  test('refuses a client without TLS', async () => {
    const sql = pooled({ ssl: false });
    await expect(sql`select 1`).rejects.toMatchObject({ code: '08P01' });
    await sql.end();
  });

  test('has a certificate that its authority vouches for, and no other', async () => {
    const sql = pooled({ ssl: { ca: [] } });
    await expect(sql`select 1`).rejects.toThrow(/self-signed certificate|unable to/);
    await sql.end();
  });

  test('lets a role in as soon as it exists, and not with a wrong password', async () => {
    const { sql } = database();
    const role = `late_${database().name.replaceAll('-', '_')}`;
    await sql.unsafe(`create role ${role} login password 'correct'`);
    const right = pooled({ username: role, password: 'correct' });
    const wrong = pooled({ username: role, password: 'wrong' });
    expect(await right`select current_user as who`).toEqual([{ who: role }]);
    await expect(wrong`select 1`).rejects.toMatchObject({ code: '08P01' });
    await Promise.all([right.end(), wrong.end()]);
    await sql.unsafe(`drop role ${role}`);
  });

  test('shares one server connection between clients, transaction by transaction', async () => {
    const clients = [pooled(), pooled(), pooled()];
    const pids = new Set<number>();
    for (const client of clients) {
      const [row] = await client<{ pid: number }[]>`select pg_backend_pid() as pid`;
      if (row !== undefined) pids.add(row.pid);
    }
    expect(pids.size).toBe(1);
    await Promise.all(clients.map((client) => client.end()));
  });

  test('keeps a transaction on one server connection', async () => {
    const sql = pooled({ max: 2 });
    const pids = await sql.begin(async (transaction) => [
      ...(await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`),
      ...(await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`),
    ]);
    expect(new Set(pids.map(({ pid }) => pid)).size).toBe(1);
    await sql.end();
  });

  test('refuses a session setting in the start-up packet', async () => {
    const sql = pooled({ connection: { statement_timeout: 1000 } });
    await expect(sql`select 1`).rejects.toThrow(/unsupported startup parameter/);
    await sql.end();
  });
});
