import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { makeS3Client } from '../../adapters/s3/client.ts';
import type { LocalStack } from '../stack.ts';
import { DEMO, withDatabase } from './environment.ts';

/** One month as the check sees it: rows and a sum over the contents of each. */
export interface MonthCheck {
  readonly month: string;
  /** Before the archiver ran. */
  readonly before: number;
  readonly inTable: number;
  readonly inArchive: number;
  /** Whether table and archive together hold exactly what was there before. */
  readonly holds: boolean;
}

/** The parts of a manifest that a restore by hand needs; read as plain JSON and not by the archiver's own code. */
interface StoredManifest {
  readonly partition: { readonly schema: string; readonly name: string };
  readonly copy: { readonly columns: string };
  readonly ddl: { readonly key: string; readonly versionId: string };
  readonly segments: readonly {
    readonly objects: readonly { readonly key: string; readonly versionId: string }[];
  }[];
}

interface MonthSum {
  readonly month: string;
  readonly rows: number;
  readonly sum: string;
}

/**
 * Checks the invariant without the archiver's code: every archive is restored into a scratch database by psql (its DDL)
 * and plain COPY, and rows and contents of table and archive together are compared, month by month, with a copy of the
 * database from before the run.
 */
export async function checkInvariant(stack: LocalStack): Promise<MonthCheck[]> {
  const s3 = makeS3Client({ ...stack.s3, credentials: stack.s3 });
  try {
    await withDatabase(stack, 'postgres', async (sql) => {
      await sql`drop database if exists ${sql(DEMO.scratch)} with (force)`;
      await sql`create database ${sql(DEMO.scratch)} template ${sql(DEMO.reference)}`;
    });
    await withDatabase(stack, DEMO.scratch, (sql) => sql`drop table flights`);
    const restored: string[] = [];
    for (const key of (await listKeys(s3)).filter((each) => each.includes('/manifest/'))) {
      restored.push(await restoreByHand(stack, s3, JSON.parse(await readText(s3, key)) as StoredManifest));
    }
    const [before, inTable, inArchive] = await Promise.all([
      sums(stack, DEMO.reference, ['public.flights']),
      sums(stack, DEMO.database, ['public.flights', ...(await detachedTables(stack))]),
      sums(stack, DEMO.scratch, restored),
    ]);
    return compare(before, inTable, inArchive);
  } finally {
    s3.destroy();
  }
}

/** Keys of all objects in the archive bucket. */
export async function listKeys(s3: S3Client): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: DEMO.bucket,
        ...(token !== undefined && { ContinuationToken: token }),
      }),
    );
    keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return keys;
}

async function readObject(s3: S3Client, key: string, versionId?: string): Promise<Readable> {
  const { Body } = await s3.send(
    new GetObjectCommand({
      Bucket: DEMO.bucket,
      Key: key,
      ...(versionId !== undefined && { VersionId: versionId }),
    }),
  );
  return Body as Readable;
}

async function readText(s3: S3Client, key: string): Promise<string> {
  return Buffer.concat((await (await readObject(s3, key)).toArray()) as Buffer[]).toString('utf8');
}

async function restoreByHand(stack: LocalStack, s3: S3Client, manifest: StoredManifest): Promise<string> {
  await runPsql(stack, await readObject(s3, manifest.ddl.key, manifest.ddl.versionId));
  const { schema, name } = manifest.partition;
  const table = `"${schema}"."${name}"`;
  await withDatabase(stack, DEMO.scratch, async (sql) => {
    // The airports are there, as the DDL demands; looking each of them up millions of times proves nothing.
    await sql`set session_replication_role = replica`;
    for (const { key, versionId } of manifest.segments.flatMap(({ objects }) => objects)) {
      const into = await sql.unsafe(`copy ${table} (${manifest.copy.columns}) from stdin`).writable();
      await pipeline(await readObject(s3, key, versionId), into);
    }
  });
  return table;
}

function runPsql(stack: LocalStack, script: Readable): Promise<void> {
  const { host, port, superuser } = stack.postgres;
  const child = spawn(
    'psql',
    [
      '-X',
      '-q',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      host,
      '-p',
      String(port),
      '-U',
      superuser.user,
      '-d',
      DEMO.scratch,
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, PGPASSWORD: superuser.password } },
  );
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`psql does not accept the archived DDL:\n${errors}`));
    });
  });
  return Promise.all([pipeline(script, child.stdin), ended]).then(() => undefined);
}

/** Detached or quarantined tables of a run that was not finished: their rows are in no archive yet. */
async function detachedTables(stack: LocalStack): Promise<string[]> {
  const rows = await withDatabase(
    stack,
    DEMO.database,
    (sql) =>
      sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name
        from partition_archiver.partition l join pg_class c on c.oid = l.table_oid join pg_namespace n on n.oid = c.relnamespace
       where l.state in ('detached', 'quarantined', 'exported', 'blocked') and not c.relispartition`,
  );
  return rows.map(({ name }) => name);
}

/** Rows and the sum of a hash of each row's text, by month. */
function sums(stack: LocalStack, database: string, tables: readonly string[]): Promise<MonthSum[]> {
  if (tables.length === 0) return Promise.resolve([]);
  const all = tables.map((table) => `select date, t::text as line from ${table} t`).join(' union all ');
  return withDatabase(stack, database, async (sql) => [
    ...(await sql.unsafe<MonthSum[]>(`
      select to_char(date, 'YYYY-MM') as month, count(*)::integer as rows, sum(hashtextextended(line, 0)::numeric)::text as sum
        from (${all}) everything group by 1 order by 1`)),
  ]);
}

function compare(
  before: readonly MonthSum[],
  inTable: readonly MonthSum[],
  inArchive: readonly MonthSum[],
): MonthCheck[] {
  const months = new Set([...before, ...inTable, ...inArchive].map(({ month }) => month));
  const of = (sides: readonly MonthSum[], month: string): MonthSum =>
    sides.find((side) => side.month === month) ?? { month, rows: 0, sum: '0' };
  return [...months].sort().map((month) => {
    const [was, table, archive] = [of(before, month), of(inTable, month), of(inArchive, month)];
    return {
      month,
      before: was.rows,
      inTable: table.rows,
      inArchive: archive.rows,
      holds:
        was.rows === table.rows + archive.rows && BigInt(was.sum) === BigInt(table.sum) + BigInt(archive.sum),
    };
  });
}
