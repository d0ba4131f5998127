import { GetObjectCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { counted } from '../../core/counted.ts';
import { pin } from '../../adapters/postgres/pins.ts';
import { DAY_MS } from '../../core/expiry.ts';
import { COPY_OPTIONS } from '../../core/pins.ts';
import { segmentFileKeys } from '../../core/keys.ts';
import {
  exportQuery,
  headObject,
  inTransaction,
  listObjects,
  note,
  readObject,
  refusalOf,
  SCHEMA,
  skip,
  verdictOf,
  type Account,
  type Check,
} from './checks.ts';

const SOURCE = `select * from only ${SCHEMA}.awkward where ctid >= '(0,0)'`;

async function copyOut(account: Account, query: string): Promise<Buffer> {
  return inTransaction(account.open('acceptance copy'), async (transaction) => {
    await pin(transaction);
    const rows = await transaction.unsafe(`copy (${query}) to stdout with (${COPY_OPTIONS})`).readable();
    return Buffer.concat(await Array.fromAsync(rows));
  });
}

/** Checks of what aws_s3 writes. */
export const EXPORT_CHECKS: readonly Check[] = [
  {
    name: 'bytes of aws_s3 are those of COPY TO STDOUT',
    why: 'verify compares the two byte for byte',
    run: async (account) => {
      const key = `${account.prefix}bytes.tsv`;
      const said = await inTransaction(account.open('acceptance'), (transaction) =>
        exportQuery(transaction, account, SOURCE, key),
      );
      const [stored, copied] = [await readObject(account, key), await copyOut(account, SOURCE)];
      const lines = copied.filter((byte) => byte === 0x0a).length;
      const same =
        stored.equals(copied) && said.bytes === copied.length && said.rows === lines && said.files === 1;
      return verdictOf(
        same,
        `${counted(stored.length, 'byte')} in S3, ${copied.length} by COPY, ${stored.equals(copied) ? 'the same' : 'NOT the same'}; aws_s3 said ${counted(said.rows, 'row')}, ${counted(said.files, 'file')}, ${counted(said.bytes, 'byte')}`,
      );
    },
  },
  {
    name: 'a second export to the same key is a new version',
    why: 'a retried export overwrites, and the manifest names the version that was proven',
    run: async (account) => {
      const key = `${account.prefix}twice.tsv`;
      for (const values of ['(1),(2),(3)', '(4)']) {
        await inTransaction(account.open('acceptance'), (transaction) =>
          exportQuery(transaction, account, `select * from (values ${values}) v`, key),
        );
      }
      const [object, ...others] = await listObjects(account, key);
      const right = object?.versions === 2 && object.bytes === 2 && others.length === 0;
      return verdictOf(
        right,
        `${counted(object?.versions ?? 0, 'version')}, the current one of ${counted(object?.bytes ?? 0, 'byte')}`,
      );
    },
  },
  {
    name: 'export of no rows',
    why: 'nothing: the archiver does not export an empty segment; what aws_s3 does is not documented',
    run: async (account) => {
      const key = `${account.prefix}empty.tsv`;
      let said = 'nothing';
      const refusal = await refusalOf(
        inTransaction(account.open('acceptance'), async (transaction) => {
          const answer = await exportQuery(transaction, account, `${SOURCE} and false`, key);
          said = `${counted(answer.rows, 'row')}, ${counted(answer.files, 'file')}, ${counted(answer.bytes, 'byte')}`;
        }),
      );
      const objects = await listObjects(account, key);
      return note(
        `${refusal === null ? `aws_s3 said ${said}` : `${refusal.sqlstate} ${refusal.message}`}; ${counted(objects.length, 'object')}`,
      );
    },
  },
  {
    name: 'an export that is cancelled leaves no object that looks whole',
    why: 'statement_timeout ends exports that take too long, and their keys are used again',
    run: async (account) => {
      const key = `${account.prefix}cancelled.tsv`;
      const slow = `select g, pg_sleep(0.02) from generate_series(1, 100000) g`;
      const refusal = await refusalOf(
        inTransaction(account.open('acceptance'), (transaction) =>
          exportQuery(transaction, account, slow, key, { settings: { statement_timeout: '3000' } }),
        ),
      );
      const objects = await listObjects(account, key);
      return verdictOf(
        refusal?.sqlstate === '57014' && objects.length === 0,
        `${refusal === null ? 'it was not cancelled' : `${refusal.sqlstate} ${refusal.message}`}; ${counted(objects.length, 'object')} left`,
      );
    },
  },
  {
    name: 'checksum and encryption of what aws_s3 writes',
    why: 'nothing: the bytes are read back in any case',
    run: async (account) => {
      const head = await headObject(account, `${account.prefix}bytes.tsv`);
      return note(
        `ETag ${head.ETag ?? ''}, CRC64NVME ${head.ChecksumCRC64NVME ?? 'none'}, ${head.ServerSideEncryption ?? 'not encrypted'} ${head.SSEKMSKeyId ?? ''}`,
      );
    },
  },
  {
    name: 'a version of aws_s3 can be locked',
    why: 'retention is put on proven versions, not by a default of the bucket',
    run: async (account) => {
      if (!account.lock) return skip('locks an object for a day: ask for it by --lock');
      const key = `${account.prefix}bytes.tsv`;
      const { VersionId } = await headObject(account, key);
      const RetainUntilDate = new Date(Date.now() + DAY_MS);
      const refusal = await refusalOf(
        account.s3.send(
          new PutObjectRetentionCommand({
            Bucket: account.bucket,
            Key: key,
            VersionId,
            Retention: { Mode: 'GOVERNANCE', RetainUntilDate },
          }),
        ),
      );
      return verdictOf(refusal === null, refusal?.message ?? `locked until ${RetainUntilDate.toISOString()}`);
    },
  },
  {
    name: 'files beyond 6 GB, and whether a row runs across two',
    why: 'segments are cut to stay below; parts are proven as one stream in their order',
    run: async (account) => {
      if (!account.large) return skip('writes 7 GB: ask for it by --large');
      const key = `${account.prefix}large.tsv`;
      const query = `select g, repeat(md5(g::text), 3200) from generate_series(1, 70000) g`;
      const said = await inTransaction(account.open('acceptance'), (transaction) =>
        exportQuery(transaction, account, query, key),
      );
      const objects = await listObjects(account, key);
      const expected = segmentFileKeys(key, said.files);
      const first = objects.find((object) => object.key === key);
      const last = await lastByte(account, key, first?.bytes ?? 0);
      const total = objects.reduce((sum, { bytes }) => sum + bytes, 0);
      const named =
        objects
          .map((object) => object.key)
          .sort()
          .join() === [...expected].sort().join();
      return verdictOf(
        named && total === said.bytes,
        `${counted(said.files, 'file')}: ${objects.map(({ key: name, bytes }) => `${name.slice(account.prefix.length)} ${bytes}`).join(', ')}; the first ends ${last === 0x0a ? 'with a row' : 'in the middle of a row'}`,
      );
    },
  },
];

async function lastByte({ s3, bucket }: Account, key: string, bytes: number): Promise<number | undefined> {
  if (bytes === 0) return undefined;
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${bytes - 1}-${bytes - 1}` }),
  );
  return (await Body?.transformToByteArray())?.[0];
}
