import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type postgres from 'postgres';
import { parseManifest, type Manifest } from '../../core/manifest.ts';
import { COPY_OPTIONS } from '../../core/pins.ts';
import type { TestDatabase } from './database.ts';

/** One archive as it lies in the bucket. */
export interface Archive {
  readonly key: string;
  readonly manifest: Manifest;
  readonly ddl: string;
  /** The bytes of all its segments, in order. */
  readonly data: Buffer;
}

/** Keys of all current objects in a bucket. */
export async function listKeys(s3: S3Client, bucket: string): Promise<string[]> {
  const { Versions = [], IsTruncated } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  if (IsTruncated === true) throw new Error('more objects than a test should make');
  return Versions.filter(({ IsLatest }) => IsLatest === true).map(({ Key }) => Key ?? '');
}

/** Every archive of a bucket, found from its manifest, as a reader would. */
export async function readArchives(s3: S3Client, bucket: string): Promise<Archive[]> {
  const keys = (await listKeys(s3, bucket)).filter((key) => key.includes('/manifest/'));
  return Promise.all(
    keys.sort().map(async (key) => {
      const parsed = parseManifest((await getObject(s3, bucket, key)).toString('utf8'));
      if (!parsed.ok) throw new Error(`${key}: ${parsed.problem}`);
      const { manifest } = parsed;
      const objects = manifest.segments.flatMap((segment) => segment.objects);
      const parts = await Promise.all(
        objects.map((object) => getObject(s3, bucket, object.key, object.versionId)),
      );
      const ddl = (await getObject(s3, bucket, manifest.ddl.key, manifest.ddl.versionId)).toString('utf8');
      return { key, manifest, ddl, data: Buffer.concat(parts) };
    }),
  );
}

/** The bytes of an object. */
export async function getObject(
  s3: S3Client,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/**
 * Makes the table of an archive again without any of our code: psql runs the archived DDL and a plain COPY. It comes
 * back under the name that it had, which must be free.
 */
export async function restoreByPsql({ url }: TestDatabase, { manifest, ddl, data }: Archive): Promise<void> {
  const { schema, name } = manifest.partition;
  const pins = Object.entries(manifest.copy.pins)
    .filter(([setting]) => setting !== 'search_path')
    .map(([setting, value]) => `set ${setting} = '${value}';\n`);
  const copy = `copy ${quote(schema)}.${quote(name)} (${manifest.copy.columns}) from stdin with (${COPY_OPTIONS});\n`;
  await psql(url, Buffer.concat([Buffer.from(ddl + pins.join('') + copy), data, Buffer.from('\\.\n')]));
}

/** Runs a script by psql, which stops at its first error. */
export async function psql(url: string, script: string | Buffer): Promise<string> {
  const child = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', url], { stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(script);
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (status !== 0) throw new Error(`psql: ${errors}`);
  return output;
}

/** The rows of a table as text, sorted: what a comparison of contents compares. */
export async function rowsOf(sql: postgres.Sql, table: string): Promise<string[]> {
  const rows = await sql.unsafe<{ row: string }[]>(
    `select t::text as row from ${table} t order by t::text collate "C"`,
  );
  return rows.map(({ row }) => row);
}

/** An identifier in quotes. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
