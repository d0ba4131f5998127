import type { S3Client } from '@aws-sdk/client-s3';
import { GetObjectCommand, HeadObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { guardedTransaction, type Connection, type Transaction } from '../../adapters/postgres/connect.ts';
import { pin } from '../../adapters/postgres/pins.ts';

/** What the checks run against. */
export interface Account {
  /** Opens a connection as administrator: straight to the database, or through the proxy where one is given. */
  readonly open: (application: string) => Connection;
  readonly openProxy: ((application: string) => Connection) | undefined;
  /** To a reader, where one is given. */
  readonly openReader: ((application: string) => Connection) | undefined;
  /** Through the proxy as `iamUser`, by a token, where one is given. */
  readonly openByToken: ((application: string) => Connection) | undefined;
  readonly iamUser: string | undefined;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** What the keys of the checks begin with: a data folder, where the export role may write. */
  readonly prefix: string;
  /** Also what writes 7 GB. */
  readonly large: boolean;
  /** Also what cannot be undone for a day. */
  readonly lock: boolean;
}

/**
 * What a check found. `fail`: AWS does not do what the archiver takes for granted. `note`: nothing depends on it, and
 * now it is known.
 */
export interface Finding {
  readonly verdict: 'pass' | 'fail' | 'note' | 'skip';
  readonly found: string;
}

/** One thing that could not be known without AWS. */
export interface Check {
  readonly name: string;
  /** What depends on it. */
  readonly why: string;
  readonly run: (account: Account) => Promise<Finding>;
}

export const pass = (found: string): Finding => ({ verdict: 'pass', found });
export const fail = (found: string): Finding => ({ verdict: 'fail', found });
export const note = (found: string): Finding => ({ verdict: 'note', found });
export const skip = (found: string): Finding => ({ verdict: 'skip', found });
/** `pass` if it is so, `fail` if not; either way with what was found. */
export const verdictOf = (asExpected: boolean, found: string): Finding =>
  asExpected ? pass(found) : fail(found);

/** Schema of the throw-away tables; made and dropped by the script. */
export const SCHEMA = 'partition_archiver_acceptance';

/** What aws_s3 says of an export. */
export interface Uploaded {
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/** Exports a query as the archiver does, under its pins. */
export async function exportQuery(
  transaction: Transaction,
  { bucket, region }: Account,
  query: string,
  key: string,
  more: { readonly options?: string; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<Uploaded> {
  await pin(transaction, more.settings);
  const [uploaded] = await transaction<[Uploaded]>`
    select rows_uploaded as rows, files_uploaded as files, bytes_uploaded as bytes
      from aws_s3.query_export_to_s3(${query}::text,
             aws_commons.create_s3_uri(${bucket}::text, ${key}::text, ${region}::text),
             options := ${more.options ?? "format text, encoding 'UTF8'"}::text)`;
  return uploaded;
}

/** Does something on a connection of its own, in a transaction that is committed. */
export async function inTransaction<T>(
  connection: Connection,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  try {
    return await guardedTransaction(connection, '', work);
  } finally {
    await connection.end({ timeout: 2 });
  }
}

/** What PostgreSQL said of a statement that failed. */
export async function refusalOf(
  work: Promise<unknown>,
): Promise<{ sqlstate: string; message: string } | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    return { sqlstate: code, message: message.split('\n')[0] ?? '' };
  }
}

/** The bytes of the current version of an object. */
export async function readObject({ s3, bucket }: Account, key: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Keys below a prefix with their lengths, current versions only. */
export async function listObjects(
  { s3, bucket }: Account,
  prefix: string,
): Promise<{ key: string; bytes: number; versions: number }[]> {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }));
  return Versions.filter(({ IsLatest }) => IsLatest === true).map(({ Key = '', Size = 0 }) => ({
    key: Key,
    bytes: Size,
    versions: Versions.filter((version) => version.Key === Key).length,
  }));
}

/** What S3 says of an object. */
export async function headObject({ s3, bucket }: Account, key: string) {
  return s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
}
