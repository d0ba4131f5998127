import { createHash } from 'node:crypto';
import type { ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { noArchiveOf } from '../audit/known-sets.ts';
import { ArchiverError } from '../errors.ts';
import { copiesPrefix, setPrefix } from '../keys.ts';
import {
  chosenArchives,
  copiesMissing,
  MANIFESTS_AT_ONCE,
  setsOf,
  type ArchiveChoice,
} from './chosen-archives.ts';
import { foldAscii, requireDistinct } from './column-names.ts';
import { latestCopy, locationOf, type CopyManifest } from './copy-manifest.ts';
import { identifier, literal } from './views.ts';

type Column = CopyManifest['columns'][number];

/** An archive as a foreign table shows it. */
export interface ForeignArchive {
  readonly archiveId: string;
  readonly period: string;
  /** Folder of the copy's files: `s3://…/`. */
  readonly location: string;
  readonly columns: readonly Column[];
}

/** Bytes of an identifier of PostgreSQL. */
const LONGEST_NAME = 63;

/**
 * SQL for Aurora PostgreSQL 17.11, 18.6 or later with the extension aurora_analytics: a foreign table for each archive of a set,
 * and a view over these and the set itself, in the types of the set. Throws `InvalidInput` where the set has no archive,
 * `CopyMissing` where one has no copy, and what `chosenArchives` throws.
 */
export async function auroraStatements(
  set: { readonly schema: string; readonly table: string },
  choice: ArchiveChoice,
  region: string,
  store: ArchiveStore,
): Promise<string> {
  const [found] = await setsOf({ ...choice, sets: [set] }, [set], store);
  if (found === undefined) throw new ArchiverError('InvalidInput', await noArchiveOf(set, store));
  const { chosen } = await chosenArchives(found, choice, (all) => all, store);
  const copies = await mapAtOnce(chosen, MANIFESTS_AT_ONCE, async (stored) => ({
    stored,
    copy: await latestCopy(stored, store),
  }));
  const missing = copies.filter(({ copy }) => copy === null).map(({ stored }) => stored);
  if (missing.length > 0) throw copiesMissing(missing);
  const archives = copies.flatMap(({ stored: { manifest }, copy }) => {
    // A copy of no rows has no file.
    if (copy === null || copy.manifest.objects.length === 0) return [];
    const { columns, generation, archiveId } = copy.manifest;
    const location = `s3://${store.bucket}/${copiesPrefix(locationOf(manifest))}${generation}/`;
    return [{ archiveId, period: manifest.partition.period, location, columns }];
  });
  const folders = found.databases.map(
    (database) => `s3://${store.bucket}/${setPrefix(database, found.schema, found.table)}`,
  );
  return auroraSql(found, archives, folders, region);
}

/** The statements. Archives come with the oldest first, and the location of each begins with one of `folders`. */
export function auroraSql(
  { schema, table }: { readonly schema: string; readonly table: string },
  archives: readonly ForeignArchive[],
  folders: readonly string[],
  region: string,
): string {
  const latest = archives.at(-1);
  if (latest === undefined) throw new ArchiverError('InvalidInput', 'the archives of the set have no rows');
  const into = identifier(shortened(`${schema}_archive`, ''));
  const view = `${into}.${identifier(table)}`;
  const tables = archives.map((archive) => ({
    ...archive,
    name: shortened(
      table,
      `_${archive.period}_${archive.archiveId.slice(0, 8)}_${digestOf(archive.location)}`,
    ),
  }));
  const hot = latest.columns.map(({ name }) => identifier(name)).join(', ');
  const selects = [
    `SELECT ${hot} FROM ${identifier(schema)}.${identifier(table)}`,
    ...tables.map(
      ({ name, columns }) => `SELECT ${castList(latest.columns, columns)} FROM ${into}.${identifier(name)}`,
    ),
  ];
  return [
    '-- Printed by partition-archiver, and never run on Aurora by its tests. Aurora PostgreSQL 17.11, 18.6 or later, with the',
    '-- cluster parameter aurora_analytics.enabled and a role for the feature AuroraAnalytics that may read */query/* only.',
    // As JSON, so that no name ends the comment.
    `-- Set ${JSON.stringify([schema, table])}. A row that is in its table again, by restore and attach, is shown twice:`,
    '-- leave its archive out by --from and --to. Print and run it again after each archive: the view keeps its privileges. Where',
    '-- PostgreSQL refuses to replace it (a column was dropped, renamed, or has another type), drop the view first.',
    'BEGIN;',
    "SET LOCAL lock_timeout = '5s';",
    'CREATE EXTENSION IF NOT EXISTS aurora_analytics;',
    `CREATE SCHEMA IF NOT EXISTS ${into};`,
    ...tables.flatMap(({ name, columns, location }) => [
      `CREATE FOREIGN TABLE IF NOT EXISTS ${into}.${identifier(name)} (`,
      `  ${foreignColumns(columns).join(',\n  ')}`,
      `) SERVER aurora_analytics_server OPTIONS (location ${literal(location)}, format 'parquet', region ${literal(region)});`,
    ]),
    `CREATE OR REPLACE VIEW ${view} AS`,
    `${selects.join('\nUNION ALL\n')};`,
    '-- Foreign tables of the set that the view does not read any more.',
    dropOthers(into, folders, tables),
    'COMMIT;',
    '',
  ].join('\n');
}

/** Drops the foreign tables over other files of the set. */
function dropOthers(
  into: string,
  folders: readonly string[],
  tables: readonly { readonly name: string }[],
): string {
  const places = folders.map((folder) => literal(`location=${folder}`)).join(', ');
  const body = `
DECLARE other regclass;
BEGIN
  FOR other IN SELECT oid FROM pg_class JOIN pg_foreign_table ON oid = ftrelid
    WHERE relnamespace = ${literal(into)}::regnamespace
      AND EXISTS (SELECT FROM unnest(ftoptions) AS o, unnest(ARRAY[${places}]) AS p WHERE starts_with(o, p))
      AND relname NOT IN (${tables.map(({ name }) => literal(name)).join(', ')})
  LOOP
    EXECUTE format('DROP FOREIGN TABLE %s', other);
  END LOOP;
END
`;
  let tag = 'body';
  while (body.includes(`$${tag}$`)) tag += '_';
  return `DO $${tag}$${body}$${tag}$;`;
}

/** The columns of a foreign table follow from its files: another copy has another name. */
const digestOf = (location: string): string =>
  createHash('sha256').update(location).digest('hex').slice(0, 8);

/** Columns by name; aurora_analytics refuses two whose names differ in the case of ASCII letters only. */
function foreignColumns(columns: readonly Column[]): string[] {
  requireDistinct(
    columns.map(({ name }) => name),
    foldAscii,
  );
  return columns.map((column) => `${identifier(column.name)} ${foreignType(column)}`);
}

/** The type in which aurora_analytics reads a column of the file. */
function foreignType({ kind, precision, scale }: Column): string {
  switch (kind) {
    case 'int16':
      return 'smallint';
    case 'int32':
      return 'integer';
    case 'int64':
      return 'bigint';
    case 'float':
      return 'real';
    case 'double':
      return 'double precision';
    case 'decimal32':
    case 'decimal64':
    case 'decimal128':
      return `numeric(${String(precision)},${String(scale)})`;
    case 'timestamptz':
      return 'timestamp with time zone';
    default:
      return kind;
  }
}

/** Columns of the view out of those of an archive. Text is PostgreSQL's own, which a cast reads again. */
const castList = (shown: readonly Column[], held: readonly Column[]): string =>
  shown
    .map(({ name, type }) => {
      const there = held.find((column) => column.name === name);
      const value = there === undefined ? 'NULL' : identifier(name);
      return there !== undefined && foreignType(there) === type
        ? value
        : `${value}::${type} AS ${identifier(name)}`;
    })
    .join(', ');

/** A name that PostgreSQL does not cut: of the first part, as many characters as there is room for. */
function shortened(name: string, suffix: string): string {
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join('') + suffix) > LONGEST_NAME) characters.pop();
  return characters.join('') + suffix;
}
