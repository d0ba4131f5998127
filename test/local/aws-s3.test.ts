import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import {
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { stack, useDatabase } from '../support/database.ts';
import { makeBucket, makeS3Client } from '../support/s3.ts';

const database = useDatabase();
const s3 = makeS3Client();
let bucket = '';

interface Uploaded {
  rows_uploaded: string;
  files_uploaded: string;
  bytes_uploaded: string;
}

beforeAll(async () => {
  bucket = await makeBucket(s3, 'aws-s3');
  const { sql } = database();
  await sql`create extension aws_s3 cascade`;
  await sql`create table numbers as select n, md5(n::text) as text from generate_series(1, 1000) n`;
});

afterAll(() => {
  s3.destroy();
});

/** Exports by bind parameters, as the archiver does. */
async function exportTo(
  key: string,
  query: string,
  { options = null, kmsKey = null, sql = database().sql }: ExportOptions = {},
): Promise<Uploaded | undefined> {
  const [row] = await sql<Uploaded[]>`
    select * from aws_s3.query_export_to_s3(
      ${query}, aws_commons.create_s3_uri(${bucket}, ${key}, 'us-east-1'), options := ${options}, kms_key := ${kmsKey})`;
  return row;
}

interface ExportOptions {
  options?: string | null;
  kmsKey?: string | null;
  sql?: postgres.Sql | postgres.TransactionSql;
}

async function read(key: string): Promise<string> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await object.Body?.transformToString()) ?? '';
}

async function list(prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key ?? '');
}

async function openUploads(): Promise<number> {
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return Uploads.length;
}

describe('signatures', () => {
  test('are those of the real extension', async () => {
    const signatures = await database().sql<{ signature: string }[]>`
      select format('%s(%s) %s', p.oid::regproc, pg_get_function_identity_arguments(p.oid),
                    pg_get_function_result(p.oid)) as signature
      from pg_proc p where pronamespace in ('aws_s3'::regnamespace, 'aws_commons'::regnamespace) order by 1`;
    expect(signatures.map(({ signature }) => signature)).toMatchSnapshot();
  });

  test('take the bucket, path and region one by one, too', async () => {
    const { sql } = database();
    const rows =
      await sql`select * from aws_s3.query_export_to_s3('select 1', ${bucket}, 'one/by/one', 'us-east-1')`;
    expect(rows).toEqual([{ rows_uploaded: '1', files_uploaded: '1', bytes_uploaded: '2' }]);
    expect(await read('one/by/one')).toBe('1\n');
  });
});

describe('query_export_to_s3', () => {
  test('writes what COPY writes, and counts rows, files and bytes', async () => {
    const rows = await exportTo('numbers', 'select n, null, text from numbers where n <= 2 order by n');
    const text = '1\t\\N\tc4ca4238a0b923820dcc509a6f75849b\n2\t\\N\tc81e728d9d4c2f636f067f89cc14862c\n';
    expect(await read('numbers')).toBe(text);
    expect(rows).toEqual({ rows_uploaded: '2', files_uploaded: '1', bytes_uploaded: String(text.length) });
  });

  test('takes options of COPY without parentheses', async () => {
    await exportTo('csv', `select 'a:b' as x, null as y`, {
      options: 'format csv, header true, delimiter $$:$$',
    });
    expect(await read('csv')).toBe('x:y\n"a:b":\n');
    await expect(exportTo('csv2', 'select 1', { options: '(format csv)' })).rejects.toMatchObject({
      code: '42601',
    });
  });

  test('uploads in parts even what is small, so that the ETag is no digest', async () => {
    await exportTo('etag', 'select 1');
    const { ETag } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'etag' }));
    expect(ETag).toMatch(/^"[0-9a-f]{32}-1"$/);
  });

  test('encrypts with the key that it is given', async () => {
    const { kmsKeyArn } = stack().s3;
    await exportTo('kms', 'select 1', { kmsKey: kmsKeyArn });
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'kms' }));
    expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyArn });
    expect(await read('kms')).toBe('1\n');
  });

  test('overwrites an object, as a new version', async () => {
    await exportTo('again', 'select 1');
    await exportTo('again', 'select 2');
    expect(await read('again')).toBe('2\n');
    const { Versions = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: 'again' }),
    );
    expect(Versions).toHaveLength(2);
  });

  test('begins a new file after the line with which one has reached its limit', async () => {
    const rows = await database().sql.begin(async (sql) => {
      await sql`set local aws_s3_local.file_limit = '10kB'`;
      return exportTo('split', 'select n, text from numbers order by n', { sql });
    });
    const keys = await list('split');
    expect(keys).toEqual(['split', 'split_part2', 'split_part3', 'split_part4']);
    expect(rows?.files_uploaded).toBe('4');
    const files = await Promise.all(keys.map((key) => read(key)));
    for (const file of files) expect(file).toMatch(/\n$/);
    const lines = files.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(1000);
    expect(lines.at(-1)).toMatch(/^1000\t/);
  });

  test('leaves the later files of a longer export behind when a shorter one overwrites it', async () => {
    await database().sql.begin(async (sql) => {
      await sql`set local aws_s3_local.file_limit = '20kB'`;
      await exportTo('shrink', 'select * from numbers', { sql });
      await exportTo('shrink', 'select 1', { sql });
    });
    expect(await list('shrink')).toEqual(['shrink', 'shrink_part2']);
    expect(await read('shrink')).toBe('1\n');
  });

  test('makes an empty object of no rows', async () => {
    const rows = await exportTo('empty', 'select 1 where false');
    expect(rows).toEqual({ rows_uploaded: '0', files_uploaded: '1', bytes_uploaded: '0' });
    expect(await read('empty')).toBe('');
  });

  test('moves many parts whole and in order', async () => {
    const query = `select n, repeat(md5(n::text), 40) from generate_series(1, 30000) n`;
    const rows = await exportTo('large', query);
    const text = await read('large');
    expect(String(text.length)).toBe(rows?.bytes_uploaded);
    const ids = text
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split('\t')[0]));
    expect(ids).toEqual(Array.from({ length: 30_000 }, (_, index) => index + 1));
  });

  test('leaves no object and no open upload of a query that fails half way', async () => {
    const query = 'select repeat(text, 100), 1 / (n - 900) from numbers order by n';
    await expect(exportTo('fails', query)).rejects.toMatchObject({ code: '22012' });
    expect(await list('fails')).toEqual([]);
    expect(await openUploads()).toBe(0);
  });

  test('leaves no object and no open upload of a query that is cancelled', async () => {
    const cancelled = database().sql.begin(async (sql) => {
      await sql`set local statement_timeout = '200ms'`;
      return exportTo('slow', 'select text, pg_sleep(0.01) from numbers', { sql });
    });
    await expect(cancelled).rejects.toMatchObject({ code: '57014' });
    expect(await list('slow')).toEqual([]);
    expect(await openUploads()).toBe(0);
  });

  test('names the reason of S3 under SQLSTATE 38000', async () => {
    const { sql } = database();
    const call = (where: string, region: string) =>
      sql`select * from aws_s3.query_export_to_s3('select 1', ${where}, 'x', ${region})`;
    await expect(call('no-such-bucket', 'us-east-1')).rejects.toMatchObject({
      code: '38000',
      message: 'could not upload to Amazon S3',
      detail: expect.stringContaining('NoSuchBucket'),
    });
    await expect(call(bucket, 'eu-west-1')).rejects.toMatchObject({
      code: '38000',
      detail: expect.stringContaining('PermanentRedirect'),
    });
  });

  test('is refused by S3 where the bucket’s policy refuses it', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource: `arn:aws:s3:::${bucket}/forbidden/*`,
        },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    await expect(exportTo('forbidden/x', 'select 1')).rejects.toMatchObject({
      code: '38000',
      detail: expect.stringContaining('AccessDenied'),
    });
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
  });

  test('takes names that a shell, SQL or a URL would misread', async () => {
    const key = `o'brien "x" $(id) \`id\` ; % ?a=b#c\\ ü/データ`;
    await exportTo(key, 'select 1');
    expect(await list('o')).toContain(key);
    expect(await read(key)).toBe('1\n');
  });

  test('sees the rows and the settings of the transaction that it is called in', async () => {
    const { sql } = database();
    const rolledBack = sql.begin(async (transaction) => {
      await transaction`set local datestyle = 'SQL, DMY'`;
      await transaction`insert into numbers values (-1, 'uncommitted')`;
      await exportTo('tx', `select text, date '2021-02-01' from numbers where n < 0`, { sql: transaction });
      throw new Error('roll back');
    });
    await expect(rolledBack).rejects.toThrow('roll back');
    expect(await read('tx')).toBe('uncommitted\t01/02/2021\n');
  });
});

describe('rights', () => {
  const role = `exporter_${String(process.pid)}`;
  let asRole: postgres.Sql;

  beforeAll(async () => {
    const { sql, name } = database();
    await sql.unsafe(`create role ${role} login password 'p'`);
    await sql`create table secret as select 1 as x`;
    await sql`create table mine as select n, case n when 1 then 'me' else 'them' end as owner from generate_series(1, 2) n`;
    await sql`alter table mine enable row level security`;
    await sql`create policy own on mine using (owner = 'me')`;
    await sql.unsafe(`grant select on mine to ${role}`);
    const { host, port, caFile } = stack().pooler;
    asRole = postgres({
      host,
      port,
      database: name,
      username: role,
      password: 'p',
      max: 1,
      prepare: false,
      ssl: { ca: readFileSync(caFile) },
      onnotice: () => undefined,
    });
  });

  afterAll(async () => {
    await asRole.end();
    const { sql } = database();
    await sql.unsafe(`drop owned by ${role}`);
    await sql.unsafe(`drop role ${role}`);
  });

  test('are nobody’s until granted', async () => {
    const call = asRole`select * from aws_s3.query_export_to_s3('select 1', ${bucket}, 'x', 'us-east-1')`;
    await expect(call).rejects.toMatchObject({ code: '42501' });
  });

  test('of the query are the caller’s, through the pooler, row security included', async () => {
    const { sql } = database();
    await sql.unsafe(`grant usage on schema aws_s3, aws_commons to ${role}`);
    await sql.unsafe(`grant execute on all functions in schema aws_s3 to ${role}`);
    await expect(exportTo('secret', 'select * from secret', { sql: asRole })).rejects.toMatchObject({
      code: '42501',
    });
    expect(await list('secret')).toEqual([]);
    await exportTo('mine', 'select * from mine', { sql: asRole });
    expect(await read('mine')).toBe('1\tme\n');
  });
});

describe('table_import_from_s3', () => {
  beforeAll(async () => {
    await database().sql`create table imported (n integer, text text)`;
  });

  async function importFrom(key: string, table = 'imported', columns = '', options = '(format text)') {
    const rows = await database().sql<{ said: string }[]>`
      select aws_s3.table_import_from_s3(
        ${table}, ${columns}, ${options}, aws_commons.create_s3_uri(${bucket}, ${key}, 'us-east-1')) as said`;
    return rows[0]?.said;
  }

  test('puts an export back and says so in a sentence', async () => {
    const { sql } = database();
    const rows = await exportTo('back', 'select n, text from numbers');
    expect(await importFrom('back')).toBe(
      `1000 rows imported into relation "imported" from file back of ${String(rows?.bytes_uploaded)} bytes`,
    );
    expect(
      await sql`(table numbers except all table imported) union all (table imported except all table numbers)`,
    ).toEqual([]);
  });

  test('takes columns and options', async () => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'columns', Body: 'a;-7\nb;-8\n' }));
    expect(await importFrom('columns', 'imported', 'text, n', `(format csv, delimiter ';')`)).toMatch(
      /^2 rows/,
    );
    expect(await database().sql`select n, text from imported where n < 0 order by n`).toEqual([
      { n: -8, text: 'b' },
      { n: -7, text: 'a' },
    ]);
  });

  test('unpacks what is marked as gzip', async () => {
    const Body = gzipSync('-20\tpacked\n');
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'packed', Body, ContentEncoding: 'gzip' }));
    expect(await importFrom('packed')).toMatch(/^1 rows/);
  });

  test('refuses an empty file, a missing one and foreign credentials', async () => {
    await exportTo('nothing', 'select 1 where false');
    await expect(importFrom('nothing')).rejects.toMatchObject({ code: '38000' });
    await expect(importFrom('missing')).rejects.toMatchObject({
      code: '38000',
      detail: expect.stringContaining('NoSuchKey'),
    });
    const key = randomBytes(8).toString('hex');
    const foreign = database().sql`
      select aws_s3.table_import_from_s3('imported', '', '', aws_commons.create_s3_uri(${bucket}, 'back', 'us-east-1'),
        aws_commons.create_aws_credentials(${key}, 'secret', null))`;
    await expect(foreign).rejects.toMatchObject({ code: '38000' });
  });

  test('leaves nothing of a file that does not fit', async () => {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'misfit', Body: '-30\tgood\nbad\n' }));
    await expect(importFrom('misfit')).rejects.toMatchObject({ code: '22P02' });
    expect(await database().sql`select from imported where n = -30`).toEqual([]);
  });
});
