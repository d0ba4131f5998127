/**
 * The invariant, checked without the archiver's code: every row that was committed is in a table, or in the objects of a
 * manifest whose table is gone. Manifests are read as plain JSON, objects by VersionId, rows as a multiset of lines.
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type postgres from 'postgres';

/** Lines and how often each is there. */
export type Lines = ReadonlyMap<string, number>;

/** Where the rows of one partition set may be. */
export interface Holdings {
  /** As superuser, and directly. */
  readonly sql: postgres.Sql;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  /** In the order of the fields in the archive. */
  readonly columns: readonly string[];
}

/** What of a manifest the check reads. */
interface StoredManifest {
  readonly partition: { readonly oid: number; readonly parentSchema: string; readonly parentName: string };
  readonly segments: readonly {
    readonly objects: readonly { readonly key: string; readonly versionId: string }[];
  }[];
  readonly ddl: { readonly key: string; readonly versionId: string };
}

/** Rows where they were found. */
export interface Found {
  readonly inTables: Lines;
  /** Of archives whose table is gone. */
  readonly inArchives: Lines;
  /** What is wrong besides: two manifests of a partition, an object that is gone. */
  readonly problems: readonly string[];
  /** Keys under data/ and ddl/ that no manifest names. */
  readonly unaccounted: readonly string[];
}

/** A table that was dropped between its name and its rows being read. */
const GONE = /does not exist|could not open relation/;

/** Looks for the rows in all the places where they may be at this instant. */
export async function findRows(holdings: Holdings): Promise<Found> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { lines, oids } = await readTables(holdings);
      return { inTables: lines, ...(await readArchives(holdings, oids)) };
    } catch (error) {
      if (attempt === 5 || !(error instanceof Error && GONE.test(error.message))) throw error;
    }
  }
}

/** Rows that are known and nowhere, and rows that are somewhere more often than they should be. */
export function compareRows(
  known: Lines,
  { inTables, inArchives }: Pick<Found, 'inTables' | 'inArchives'>,
): { lost: string[]; surplus: string[] } {
  const lost: string[] = [];
  const surplus: string[] = [];
  for (const line of new Set([...known.keys(), ...inTables.keys(), ...inArchives.keys()])) {
    const here = (inTables.get(line) ?? 0) + (inArchives.get(line) ?? 0);
    const wanted = known.get(line) ?? 0;
    if (here < wanted) lost.push(line);
    if (here > wanted) surplus.push(line);
  }
  return { lost, surplus };
}

/** All rows of a set: through its parent, and of each table with its columns that is attached to nothing. */
async function readTables({
  sql,
  schema,
  table,
  columns,
}: Holdings): Promise<{ lines: Lines; oids: Set<number> }> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    await tx`set local timezone = 'UTC'`;
    await tx`set local datestyle = 'ISO'`;
    const tables = await tx<{ oid: number; name: string; kind: string }[]>`
      select c.oid::integer as oid, format('%I.%I', n.nspname, c.relname) as name, c.relkind as kind
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in (${schema}, 'partition_archiver_quarantine')
         and (c.relkind = 'p' and c.relname = ${table} or c.relkind = 'r' and not c.relispartition
              and (select array_agg(attname::text order by attnum) from pg_attribute
                    where attrelid = c.oid and attnum > 0 and not attisdropped)
                = (select array_agg(c #>> '{}') from jsonb_array_elements(${tx.json([...columns])}) c))`;
    const lines = new Map<string, number>();
    const fields = columns.map((column) => `"${column}"`).join(', ');
    for (const { name } of tables) {
      const rows = await tx.unsafe<{ line: string }[]>(
        `select concat_ws(E'\\t', ${fields}) as line from ${name}`,
      );
      count(
        rows.map(({ line }) => line),
        lines,
      );
    }
    const alive = await tx<{ oid: number }[]>`select oid::integer as oid from pg_class where relkind = 'r'`;
    return { lines, oids: new Set(alive.map(({ oid }) => oid)) };
  });
}

async function readArchives(
  holdings: Holdings,
  alive: ReadonlySet<number>,
): Promise<Omit<Found, 'inTables'>> {
  const { schema, table } = holdings;
  const keys = await listKeys(holdings);
  const problems: string[] = [];
  const inArchives = new Map<string, number>();
  const named = new Set<string>();
  const seen = new Set<number>();
  for (const key of keys.filter((each) => each.includes('/manifest/'))) {
    const manifest = JSON.parse(await read(holdings, key)) as StoredManifest;
    const { oid, parentSchema, parentName } = manifest.partition;
    if (parentSchema !== schema || parentName !== table) continue;
    if (seen.has(oid)) problems.push(`two manifests of the table with oid ${oid}`);
    seen.add(oid);
    named.add(manifest.ddl.key);
    await read(holdings, manifest.ddl.key, manifest.ddl.versionId);
    for (const object of manifest.segments.flatMap(({ objects }) => objects)) {
      named.add(object.key);
      const text = await read(holdings, object.key, object.versionId);
      if (!alive.has(oid)) count(text.split('\n').slice(0, -1), inArchives);
    }
  }
  // An attempt to stream a segment has a key of its own, which nobody reads unless the ledger names it.
  const isAttempt = (key: string): boolean => /\.[0-9a-f]{16}\.tsv(\.gz|\.zst)?$/.test(key);
  const unaccounted = keys.filter((key) => /\/(data|ddl)\//.test(key) && !named.has(key) && !isAttempt(key));
  return { inArchives, problems, unaccounted };
}

/** Keys of all versions, current or not, of this set's archives. */
async function listKeys({ s3, bucket, database, schema, table }: Holdings): Promise<string[]> {
  const Prefix = `${database}/${schema}/${table}/`;
  const answer = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix }));
  if (answer.IsTruncated === true) throw new Error('more objects than a check should meet');
  return [...new Set((answer.Versions ?? []).map(({ Key }) => Key ?? ''))];
}

async function read({ s3, bucket }: Holdings, key: string, versionId?: string): Promise<string> {
  const { Body } = await s3.send(
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(versionId !== undefined && { VersionId: versionId }),
    }),
  );
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  return decompressed(key, bytes).toString();
}

function decompressed(key: string, bytes: Buffer): Buffer {
  if (key.endsWith('.gz')) return gunzipSync(bytes);
  return key.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes;
}

function count(lines: readonly string[], into: Map<string, number>): void {
  for (const line of lines) into.set(line, (into.get(line) ?? 0) + 1);
}
