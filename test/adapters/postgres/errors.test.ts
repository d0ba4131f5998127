import { describe, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { isStatementTimeout, translate } from '../../../adapters/postgres/errors.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { useDatabase } from '../../support/database.ts';
import { serverMajor } from '../../support/stack.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const database = useDatabase();

/** The error that PostgreSQL returns for a statement. */
async function errorOf(statement: string, settings = ''): Promise<unknown> {
  try {
    await database().sql.begin((transaction) => transaction.unsafe(settings + statement));
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
}

/** A server's error as the driver makes it. */
const serverError = (fields: Record<string, string>): unknown =>
  // The driver's constructor takes the fields of the protocol; its type does not say so.
  new (postgres.PostgresError as unknown as new (of: Record<string, string>) => Error)({
    severity: 'ERROR',
    message: '',
    ...fields,
  });

const SECRET = 'secret-value-of-a-row';

describe('no value of a row leaves the database in an error', () => {
  test.each([
    ['a duplicate key', `insert into t values ('${SECRET}'), ('${SECRET}')`, '23505'],
    ['a violated check', `insert into t values ('too long ${SECRET}')`, '23514'],
    ['a text that is no number', `select '${SECRET}'::integer`, '22P02'],
    ['a text that is too long', `insert into t values ('${SECRET.repeat(4)}')`, '22001'],
  ])('%s', async (_, statement, sqlstate) => {
    const table = 'create temp table t (v varchar(60) primary key check (length(v) < 25)); ';
    const error = await errorOf(statement, table);
    expect(error).toMatchObject({ code: sqlstate });
    const translated = translate(error, 'doing') as Error;
    expect(translated).toMatchObject({
      code: 'DatabaseRejected',
      message: `doing: the message is left out, it may quote values (SQLSTATE ${sqlstate})`,
    });
    // Neither cause, nor query, nor parameters, nor DETAIL.
    const everything = JSON.stringify(translated, Object.getOwnPropertyNames(translated));
    expect(everything).not.toContain(SECRET);
    expect(translated.cause).toBeUndefined();
  });

  // pg_partman raises what it caught once more, with CONTEXT, DETAIL and HINT within its message.
  test('what pg_partman raises again is cut before its DETAIL', async () => {
    const error = await errorOf(
      `do $$ begin raise exception E'boom\\nCONTEXT: here\\nDETAIL: ${SECRET}\\nHINT: none'; end $$`,
    );
    expect(translate(error, 'maintenance')).toMatchObject({
      code: 'DatabaseRejected',
      message: 'maintenance: boom (SQLSTATE P0001)',
    });
  });
});

describe('what pg_partman raises again is known by PostgreSQL’s own words', () => {
  test.each([
    ['canceling statement due to lock timeout', 'LockNotAvailable'],
    ['deadlock detected', 'TransactionAborted'],
    ['canceling statement due to statement timeout', 'Interrupted'],
    ['canceling statement due to user request', 'Interrupted'],
    ['something else', 'DatabaseRejected'],
  ])('%s', (message, code) => {
    expect(translate(serverError({ code: 'P0001', message }), 'm')).toMatchObject({ code });
    // Under a code of its own the words decide nothing.
    expect(translate(serverError({ code: '42P01', message }), 'm')).toMatchObject({
      code: 'DatabaseRejected',
    });
  });
});

describe('timeouts', () => {
  test('a lock that is not to be had', async () => {
    const held = await database().sql.reserve();
    await held`begin`;
    await held`select pg_advisory_xact_lock(1)`;
    const error = await errorOf('select pg_advisory_xact_lock(1)', "set local lock_timeout = '50ms'; ");
    await held`rollback`;
    held.release();
    expect(translate(error, 'locking')).toMatchObject({ code: 'LockNotAvailable', retryable: true });
    expect(isStatementTimeout(error, 60, 50)).toBe(false);
  });

  test('a statement that took too long is told from one that somebody cancelled', async () => {
    const timed = async (statement: string): Promise<readonly [error: unknown, ranMs: number]> => {
      const began = performance.now();
      const error = await errorOf(statement, "set local statement_timeout = '500ms'; ");
      return [error, performance.now() - began];
    };
    const tooLong = await timed('select pg_sleep(5)');
    expect(isStatementTimeout(...tooLong, 500)).toBe(true);
    expect(translate(tooLong[0], 'export')).toMatchObject({ code: 'Interrupted', retryable: true });
    const [cancelled] = await timed('select pg_cancel_backend(pg_backend_pid())');
    expect(cancelled).toMatchObject({ code: '57014' });
    expect(isStatementTimeout(cancelled, 400, 500)).toBe(false);
  });
});

// Seen to fail without: the code NotPrepared in adapters/postgres/errors.ts (PreflightFailed).
test('a database that is not prepared is called that', () => {
  const of = (message: string): unknown => translate(serverError({ code: '3F000', message }), 'restore');
  for (const words of [
    'schema "partition_archiver" does not exist',
    'Schema »partition_archiver« existiert nicht',
  ])
    expect(of(words)).toMatchObject({
      code: 'NotPrepared',
      message: expect.stringContaining('is not prepared yet, or is another one'),
    });
  for (const other of ['shop', 'partition_archiver_shadow'])
    expect(of(`schema "${other}" does not exist`)).toMatchObject({ code: 'DatabaseRejected' });
});

describe('a row that text cannot hold', () => {
  test.each([
    ['XX000', 'invalid memory alloc request size 1073741824'],
    ['54000', 'out of memory'],
    ['54000', 'Speicher aufgebraucht'],
    ['54000', 'string buffer exceeds maximum allowed length (1073741823 bytes)'],
  ])('%s %s', (code, message) => {
    expect(translate(serverError({ code, message }), 'export')).toMatchObject({
      code: 'RowTooLarge',
      blocks: true,
    });
  });

  // Seen to fail with "out of memory" among the words: a busy server got its partitions blocked.
  test('is not what a server says whose memory is short', () => {
    const short = serverError({
      code: '53200',
      message: 'out of memory',
      detail: 'Failed on request of size 8192.',
    });
    expect(translate(short, 'inventory')).toMatchObject({ code: 'DatabaseUnavailable', retryable: true });
  });
});

describe('aws_s3', () => {
  test.each([
    ['38000', 'could not upload to Amazon S3', 'Amazon S3 client returned "Access Denied".', 'ExportDenied'],
    ['38000', 'HTTP 403 from S3', '', 'ExportDenied'],
    ['58000', 'credentials for s3Export are not there', '', 'ExportDenied'],
    ['58000', 'credentials for s3Import are not there', '', 'ExportDenied'],
    // Seen to fail without a word's end: the key of each archive of March 2024 was a lack of rights.
    ['58000', 'could not upload app/event/202403/data_0', 'Timeout', 'ExportFailed'],
    ['58000', 'could not upload to Amazon S3', 'curlCode: 28, Timeout was reached', 'ExportFailed'],
    ['42501', 'permission denied for schema aws_s3', '', 'DatabaseRejected'],
  ])('%s %s, %s', (code, message, detail, expected) => {
    expect(translate(serverError({ code, message, detail }), 'export')).toMatchObject({ code: expected });
  });
});

// Seen to fail without: wordsOfS3 in adapters/postgres/errors.ts, and its pattern (.* for what may be in it).
test('the reason that aws_s3 has from S3 is kept, and nothing else of a DETAIL', () => {
  const message = (code: string, detail: string): string =>
    (translate(serverError({ code, message: 'could not download', detail }), 'import') as Error).message;
  const detail = "Amazon S3 client returned 'Unable to connect to endpoint'. Row: (17, secret)";
  expect(message('58000', detail)).toBe(
    'import: could not download, S3 said: Unable to connect to endpoint (SQLSTATE 58000)',
  );
  expect(message('38000', "Amazon S3 client returned 'NoSuchKey: (17, secret)'.")).toBe(
    'import: could not download, S3 said: NoSuchKey (SQLSTATE 38000)',
  );
  expect(message('XX000', detail)).toBe('import: could not download (SQLSTATE XX000)');
});

describe('a connection that failed', () => {
  test.each([
    'CONNECTION_CLOSED',
    'CONNECTION_DESTROYED',
    'CONNECTION_ENDED',
    'CONNECT_TIMEOUT',
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'EPROTO',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ])('%s is tried again', (code) => {
    const error = Object.assign(new Error(`${code} at 10.0.0.7`), { code });
    expect(translate(error, 'doing')).toMatchObject({
      code: 'DatabaseUnavailable',
      retryable: true,
      message: `doing: no connection to the database (${code})`,
    });
  });
});

test('a bug, and what has a name already, is left as it is', () => {
  const own = new ArchiverError('NotDue', 'not yet');
  const odd = Object.assign(new Error('x'), { code: 7 });
  for (const error of [
    own,
    new TypeError('a bug'),
    odd,
    { code: 'UNDEFINED_VALUE' },
    'a text',
    null,
    undefined,
  ]) {
    expect(translate(error, 'doing')).toBe(error);
  }
});

// Seen to fail without: metAnotherSession. `DatabaseRejected` is not tried again, and blames a privilege.
describe('what two sessions do to a role at once is tried again', () => {
  test.each([
    ['a password', (role: string) => `alter role ${role} password 'any'`],
    ['a setting', (role: string) => `alter role ${role} set work_mem = '8MB'`],
    // Since 16 the second one waits, and finds that it is done.
    ...(serverMajor() < 16
      ? [['a membership', (role: string) => `grant pg_monitor to ${role}`] as const]
      : []),
  ] as const)('%s', async (what, statement) => {
    const { sql, name } = database();
    const role = `${what.replace(' ', '_')}_${name.slice(-8)}`;
    await sql.unsafe(`create role ${role}`);
    try {
      const second = await sql.begin(async (transaction) => {
        await transaction.unsafe(statement(role));
        const waiting = errorOf(statement(role));
        waiting.catch(() => undefined);
        await untilSomebodyWaits(sql);
        return { waiting };
      });
      expect(translate(await second.waiting, 'doing')).toMatchObject({
        code: 'TransactionAborted',
        retryable: true,
      });
    } finally {
      await sql.unsafe(`drop role ${role}`);
    }
  });
});
