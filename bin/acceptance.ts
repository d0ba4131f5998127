/**
 * Finds out in a real account what cannot be known without one: `node bin/acceptance.ts`, with
 *
 *   --lock    also locks an object for a day
 *   --large   also writes 7 GB
 *
 * See docs/acceptance.md.
 */
import { readFileSync } from 'node:fs';
import { commandOptions } from '../adapters/command-options.ts';
import { connect, type Connection } from '../adapters/postgres/connect.ts';
import { authToken } from '../adapters/rds/auth-token.ts';
import { makeS3Client } from '../adapters/s3/client.ts';
import { SCHEMA, type Account, type Finding } from './acceptance/checks.ts';
import { EXPORT_CHECKS } from './acceptance/exports.ts';
import { LOGIN_CHECKS } from './acceptance/logins.ts';
import { SERVER_CHECKS } from './acceptance/server.ts';

const { values: options } = commandOptions(import.meta.filename, {
  options: { large: { type: 'boolean', default: false }, lock: { type: 'boolean', default: false } },
});

/** Values that COPY text has to escape, and types whose text depends on settings. */
const AWKWARD = `
  create table ${SCHEMA}.awkward as
  select g as id, E'tab\\t newline\\n return\\r backslash\\\\ quote" 𝄞 ' || g as t, case when g % 3 = 0 then null else '' end as empty,
         timestamptz '2021-02-03 04:05:06.789+00' + g * interval '1 hour' as ts, date '2021-02-01' + g as d,
         g * interval '1 day 1 second' as i, g / 3.0::float8 as f, sha256(g::text::bytea) as b, array[g, null] as a,
         jsonb_build_object('k', g) as j, g % 2 = 0 as y
    from generate_series(1, 5000) g`;

const account = readAccount(process.env);
await withTables(account, async () => {
  let failed = 0;
  for (const { name, why, run } of [...SERVER_CHECKS, ...LOGIN_CHECKS, ...EXPORT_CHECKS]) {
    const { verdict, found } = await orFail(() => run(account));
    if (verdict === 'fail') failed += 1;
    console.log(`${verdict.padEnd(4)}  ${name}\n      ${found}\n      (depends on it: ${why})`);
  }
  console.log(failed === 0 ? 'AWS does what the archiver takes for granted' : `${failed} checks failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});
account.s3.destroy();

async function orFail(run: () => Promise<Finding>): Promise<Finding> {
  try {
    return await run();
  } catch (error) {
    return { verdict: 'fail', found: error instanceof Error ? error.message : String(error) };
  }
}

async function withTables(to: Account, work: () => Promise<void>): Promise<void> {
  const connection = to.open('acceptance');
  try {
    await connection.unsafe(`drop schema if exists ${SCHEMA} cascade`);
    await connection.unsafe(`create schema ${SCHEMA}`);
    await connection.unsafe(AWKWARD);
    await work();
  } finally {
    await connection.unsafe(`drop schema if exists ${SCHEMA} cascade`);
    await connection.end({ timeout: 2 });
  }
}

function readAccount(environment: Readonly<Record<string, string | undefined>>): Account {
  const missing: string[] = [];
  const need = (name: string): string => {
    const value = environment[name] ?? '';
    if (value === '') missing.push(name);
    return value;
  };
  const [host, database, user] = [need('PGHOST'), need('PGDATABASE'), need('PGUSER')];
  const [password, bucket, region] = [need('PGPASSWORD'), need('ARCHIVE_BUCKET'), need('AWS_REGION')];
  if (missing.length > 0) {
    console.error(`not set: ${missing.join(', ')}; see docs/acceptance.md`);
    process.exit(2);
  }
  const caFile = environment['PGSSLROOTCERT'];
  const authority = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
  const opener =
    (to: string, port: string | undefined, tls: { ca?: string } | false) =>
    (applicationName: string): Connection =>
      connect({ host: to, port: Number(port ?? '5432'), database, user, password, tls, applicationName });
  const endpoint = environment['AWS_ENDPOINT_URL_S3'];
  const [proxyHost, readerHost] = [environment['PROXY_HOST'], environment['READER_HOST']];
  const iamUser = environment['IAM_USER'];
  const s3 = makeS3Client({ region, ...(endpoint !== undefined && { endpoint }) });
  const byToken =
    (to: string, as: string) =>
    (applicationName: string): Connection => {
      const subject = { host: to, port: Number(environment['PROXY_PORT'] ?? '5432'), user: as, region };
      const { credentials, sha256 } = s3.config;
      const token = () => authToken(subject, { credentials, sha256 });
      return connect({ ...subject, database, password: token, tls: authority, applicationName });
    };
  return {
    open: opener(host, environment['PGPORT'], environment['PGSSLMODE'] === 'disable' ? false : authority),
    openProxy: proxyHost === undefined ? undefined : opener(proxyHost, environment['PROXY_PORT'], authority),
    openReader:
      readerHost === undefined ? undefined : opener(readerHost, environment['READER_PORT'], authority),
    openByToken: proxyHost === undefined || iamUser === undefined ? undefined : byToken(proxyHost, iamUser),
    iamUser,
    s3,
    bucket,
    region,
    prefix: `${database}/acceptance/acceptance/${new Date().toISOString().replace(/\W/g, '')}/data/`,
    large: options.large,
    lock: options.lock,
  };
}
