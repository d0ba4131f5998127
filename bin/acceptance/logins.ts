import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../adapters/postgres/connect.ts';
import { inTransaction, note, SCHEMA, skip, verdictOf, type Account, type Check } from './checks.ts';

/** How long a reader is waited for. */
const TRIES = 30;

/** What verify compares at a reader, of a table with a trigger: whether it is the same, and has come. */
async function sealAt(connection: Connection, table: string): Promise<{ system: string; seal: string }> {
  return inTransaction(connection, async (transaction) => {
    await transaction`set transaction isolation level repeatable read, read only`;
    const [row] = await transaction<[{ system: string; seal: string }]>`
      select (select system_identifier::text from pg_control_system()) as system,
             coalesce((select jsonb_build_array(pg_relation_filenode(c.oid), c.oid, t.oid, t.xmin::text)
                         from pg_class c join pg_trigger t on t.tgrelid = c.oid
                        where c.oid = to_regclass(${table}))::text, '') as seal`;
    return row;
  });
}

async function makeSealed(account: Account): Promise<string> {
  const table = `${SCHEMA}.sealed`;
  await inTransaction(account.open('acceptance'), async (transaction) => {
    await transaction.unsafe(`create table ${table} as select generate_series(1, 1000) as n`);
    await transaction.unsafe(
      `create function ${SCHEMA}.refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'`,
    );
    await transaction.unsafe(
      `create trigger fence before update on ${table} for each row execute function ${SCHEMA}.refuse()`,
    );
  });
  return table;
}

/** Checks of a reader, and of logins by IAM. */
export const LOGIN_CHECKS: readonly Check[] = [
  {
    name: 'a reader has the system identifier, file and trigger row of the writer, in a read-only snapshot',
    why: 'database.verifyEndpoint: by these a reader proves that it sees the fenced table',
    run: async (account) => {
      if (account.openReader === undefined) return skip('no READER_HOST is given');
      const table = await makeSealed(account);
      const expected = await sealAt(account.open('acceptance'), table);
      for (let attempt = 1; ; attempt += 1) {
        const found = await sealAt(account.openReader('acceptance reader'), table);
        const same = found.system === expected.system && found.seal === expected.seal;
        if (same || attempt === TRIES) {
          const text = `writer ${expected.system} ${expected.seal}, reader ${found.system} ${found.seal}`;
          return verdictOf(same && expected.seal !== '', `${text}, at try ${String(attempt)}`);
        }
        await sleep(1_000);
      }
    },
  },
  {
    name: 'a token logs in through the proxy',
    why: 'database.authentication iam',
    run: async (account) => {
      if (account.openByToken === undefined) return skip('no IAM_USER is given');
      const [row] = await inTransaction(
        account.openByToken('acceptance iam'),
        (transaction) => transaction<{ name: string }[]>`select session_user as name`,
      );
      return verdictOf(row?.name === account.iamUser, `logged in as ${row?.name ?? 'no role'}`);
    },
  },
  {
    name: 'who is a member of rds_iam, and so has no password any more',
    why: 'database.authentication iam: an administrator who installed the archiver is one',
    run: async (account) => {
      const rows = await inTransaction(
        account.open('acceptance'),
        (transaction) => transaction<{ name: string }[]>`
          select r.rolname as name from pg_roles r join pg_roles i on i.rolname = 'rds_iam'
           where r.rolcanlogin and pg_has_role(r.oid, i.oid, 'member') order by 1`,
      );
      return note(rows.length === 0 ? 'no role' : rows.map(({ name }) => name).join(', '));
    },
  },
];
