import { setTimeout as sleep } from 'node:timers/promises';
import { translate } from '../../adapters/postgres/errors.ts';
import { ArchiverError } from '../../core/errors.ts';
import {
  exportQuery,
  inTransaction,
  note,
  pass,
  refusalOf,
  SCHEMA,
  skip,
  verdictOf,
  fail,
  type Account,
  type Check,
} from './checks.ts';

/** What the archiver makes of an export that is refused, beside what was said. */
async function refusedExport(account: Account, bucket: string, key: string): Promise<[string, string]> {
  try {
    await inTransaction(account.open('acceptance'), (transaction) =>
      exportQuery(transaction, { ...account, bucket }, 'select 1', key),
    );
    return ['none', 'it was not refused'];
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    const translated = translate(error, 'export');
    const name = translated instanceof ArchiverError ? translated.code : 'unknown';
    return [name, `${code} ${message.split('\n')[0] ?? ''} → ${name}`];
  }
}

/** Checks of the server, of what it refuses, and of the proxy. */
export const SERVER_CHECKS: readonly Check[] = [
  {
    name: 'versions',
    why: 'nothing; for the record',
    run: async (account) =>
      inTransaction(account.open('acceptance'), async (transaction) => {
        const [row] = await transaction<[{ versions: string }]>`
          select version() || '; ' || coalesce((select string_agg(extname || ' ' || extversion, ', ' order by extname) from pg_extension
            where extname in ('aws_s3', 'aws_commons', 'pg_partman')), 'no extension') as versions`;
        return note(row.versions);
      }),
  },
  {
    name: 'pg_control_system() is there',
    why: 'the system identifier tells a copied ledger from its own',
    run: async (account) => {
      const [row] = await inTransaction(
        account.open('acceptance'),
        (transaction) =>
          transaction<{ system: string; mayBeAsked: boolean }[]>`
          select system_identifier::text as system,
                 has_function_privilege('pg_control_system()', 'execute') as "mayBeAsked" from pg_control_system()`,
      );
      return row === undefined ? fail('it returns nothing') : pass(`system identifier ${row.system}`);
    },
  },
  {
    name: 'an administrator may make an event trigger',
    why: 'the guard against dropping managed tables by hand is one; without it the archiver works all the same',
    run: async (account) => {
      const refusal = await refusalOf(
        inTransaction(account.open('acceptance'), async (transaction) => {
          await transaction.unsafe(
            `create function ${SCHEMA}.guard() returns event_trigger language plpgsql as 'begin end'`,
          );
          await transaction.unsafe(
            `create event trigger partition_archiver_acceptance on sql_drop execute function ${SCHEMA}.guard()`,
          );
          await transaction.unsafe('drop event trigger partition_archiver_acceptance');
        }),
      );
      return note(refusal === null ? 'it may' : `${refusal.sqlstate} ${refusal.message}`);
    },
  },
  {
    name: 'kms_key of aws_s3',
    why: 'nothing: the archiver leaves the key to the default of the bucket; whether that may be a key of your own is in the first check',
    run: async (account) =>
      inTransaction(account.open('acceptance'), async (transaction) => {
        const rows = await transaction<{ arguments: string }[]>`
          select pg_get_function_arguments(oid) as arguments from pg_proc
           where proname = 'query_export_to_s3' and pronamespace = 'aws_s3'::regnamespace order by pronargs`;
        return note(
          rows.some((row) => row.arguments.includes('kms_key'))
            ? 'there is the argument'
            : 'there is no such argument',
        );
      }),
  },
  {
    name: 'an export to where the role may not write is refused, and known as ExportDenied',
    why: 'it is not retried, and the error names the way out',
    run: async (account) => {
      const [code, said] = await refusedExport(account, account.bucket, 'not-in-the-archive/acceptance.tsv');
      return verdictOf(code === 'ExportDenied', said);
    },
  },
  {
    name: 'an export to a bucket that is not there is refused, and known as ExportDenied',
    why: 'it is not retried',
    run: async (account) => {
      const [code, said] = await refusedExport(
        account,
        `${account.bucket}-is-not-there`,
        `${account.prefix}x.tsv`,
      );
      return verdictOf(code === 'ExportDenied', said);
    },
  },
  {
    name: 'archiver_restore may not export, and archiver_read may not import, whatever aws_s3 grants to PUBLIC',
    why: 'archiver_restore runs DDL out of the bucket: it should not be able to write there',
    run: async (account) => {
      const [row] = await inTransaction(
        account.open('acceptance'),
        (transaction) => transaction<{ roles: number; allowed: string | null }[]>`
          select (select count(*) from pg_roles where rolname in ('archiver_restore', 'archiver_read'))::integer as roles,
                 (select string_agg(w.role || ' may use ' || p.oid::regprocedure, ', ')
                    from (values ('archiver_restore', 'query_export_to_s3'), ('archiver_read', 'table_import_from_s3')) as w (role, function)
                    join pg_roles r on r.rolname = w.role
                    join pg_proc p on p.proname = w.function and p.pronamespace = to_regnamespace('aws_s3')
                   where has_function_privilege(r.oid, p.oid, 'execute')) as allowed`,
      );
      if (row?.roles !== 2) return skip('the database is not prepared: prepare it, and run this again');
      return verdictOf(row.allowed === null, row.allowed ?? 'each has its own direction only');
    },
  },
  {
    name: 'COPY through the proxy',
    why: 'verify reads the table by it',
    run: async (account) => {
      if (account.openProxy === undefined) return skip('no PROXY_HOST is given');
      const rows = await inTransaction(account.openProxy('acceptance proxy'), async (transaction) => {
        const copy = transaction.unsafe(`copy (select generate_series(1, 100000)) to stdout`);
        let bytes = 0;
        for await (const chunk of await copy.readable()) bytes += (chunk as Buffer).length;
        return bytes;
      });
      return verdictOf(rows === 588_895, `${rows} bytes of 588895`);
    },
  },
  {
    name: 'settings made by SET LOCAL hold through the proxy',
    why: 'every step pins its settings so',
    run: async (account) => {
      if (account.openProxy === undefined) return skip('no PROXY_HOST is given');
      const [row] = await inTransaction(account.openProxy('acceptance proxy'), async (transaction) => {
        await transaction`set local lock_timeout = '1234ms'`;
        return transaction<{ value: string }[]>`select current_setting('lock_timeout') as value`;
      });
      return verdictOf(row?.value === '1234ms', row?.value ?? '');
    },
  },
  {
    name: 'what the proxy does with the server when its client dies',
    why: 'nothing: a lock for each segment keeps a retry from running beside a call that continues',
    run: async (account) => {
      if (account.openProxy === undefined) return skip('no PROXY_HOST is given');
      const client = account.openProxy('acceptance dying');
      const dying = client.unsafe('select pg_sleep(30)').catch(() => undefined);
      await sleep(2_000);
      await client.end({ timeout: 0 });
      await dying;
      await sleep(5_000);
      // Not left to itself for the rest of its time.
      const left = await inTransaction(
        account.open('acceptance'),
        (transaction) =>
          transaction`select pg_cancel_backend(pid) from pg_stat_activity
           where state = 'active' and query = 'select pg_sleep(30)'`,
      );
      return note(
        left.length === 0 ? 'the query ended with its client' : 'the query continues after its client died',
      );
    },
  },
];
