import type { Compression } from './config/partition-set.ts';

/** What the keys of a partition's archive are made of; all from the ledger. */
export interface ArchiveLocation {
  readonly database: string;
  readonly parentSchema: string;
  readonly parentName: string;
  /** From the recorded lower bound, never from a name: `202101`. */
  readonly period: string;
  /** A new UUID at each quarantine, so that no archive can meet an earlier one. */
  readonly archiveId: string;
}

/**
 * A name as one part of an S3 key. Bytes other than letters, digits, `_`, `.` and `-` become `!XX`: a `/` would make
 * a level of its own, and S3 advises against most other signs
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
 */
export function keyPart(name: string): string {
  let part = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const character = String.fromCharCode(byte);
    part += /[\w.-]/.test(character) ? character : `!${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  // S3 clients take `.` and `..` for steps in a path.
  return part === '.' || part === '..' ? part.replaceAll('.', '!2E') : part;
}

/** Prefix of all archives of a partition set. */
export function setPrefix(database: string, schema: string, table: string): string {
  return `${[database, schema, table].map(keyPart).join('/')}/`;
}

/** `<database>/<schema>/<table>/<period>`, without a slash at its end. */
function periodPrefix(at: Omit<ArchiveLocation, 'archiveId'>): string {
  return `${setPrefix(at.database, at.parentSchema, at.parentName)}${keyPart(at.period)}`;
}

/** Key of a segment's object. Where aws_s3 splits a file, `_part2` and so on follow it. */
export function segmentKey(at: ArchiveLocation, segmentNumber: number): string {
  return `${periodPrefix(at)}/data/${at.archiveId}-${String(segmentNumber)}.tsv`;
}

/** What follows the key of compressed text, as gzip and zstd name their files. */
const SUFFIX: Readonly<Record<Compression, string>> = { gzip: '.gz', zstd: '.zst' };

/** Key of the object of one attempt to stream a segment; `attempt` are 16 hexadecimal digits, new for each. */
export function segmentAttemptKey(
  at: ArchiveLocation,
  segment: number,
  attempt: string,
  compression: Compression | null,
): string {
  const suffix = compression === null ? '' : SUFFIX[compression];
  return `${periodPrefix(at)}/data/${at.archiveId}-${String(segment)}.${attempt}.tsv${suffix}`;
}

/** The keys of a segment's objects in the order of their bytes: aws_s3 splits at about 6 GB and numbers from 2. */
export function segmentFileKeys(key: string, files: number): string[] {
  return Array.from({ length: files }, (_, index) => (index === 0 ? key : `${key}_part${String(index + 1)}`));
}

/** Key of the archived DDL. */
export function ddlKey(at: ArchiveLocation, partitionName: string): string {
  return `${periodPrefix(at)}/ddl/${at.archiveId}-${keyPart(partitionName)}.sql`;
}

/** Key of the manifest. */
export function manifestKey(at: ArchiveLocation): string {
  return `${periodPrefix(at)}/manifest/${at.archiveId}.json`;
}

/** Key of the page on the archive of a database. No schema is called `report`: it is the name of a folder. */
export function pageKey(database: string): string {
  return `${keyPart(database)}/report/archive.html`;
}

/** Prefix of all Parquet copies of an archive. Only what was proven is ever put under it. */
export function copiesPrefix(at: ArchiveLocation): string {
  return `${periodPrefix(at)}/query/${at.archiveId}/`;
}

/** Key of the copy of a segment. A generation is one attempt to convert: no two attempts ever write one key. */
export function copyKey(at: ArchiveLocation, generation: string, segmentNumber: number): string {
  return `${copiesPrefix(at)}${generation}/${String(segmentNumber)}.parquet`;
}

/** Prefix of the manifests of all copies of an archive. */
export function copyManifestPrefix(at: ArchiveLocation): string {
  return `${periodPrefix(at)}/query-manifest/${at.archiveId}.`;
}

/** The same prefix, of the archive that has this manifest. */
export function copyManifestPrefixOf(manifestKey: string): string {
  return manifestKey.replace(/\/manifest\/([^/]+)\.json$/, '/query-manifest/$1.');
}

/** Key of the manifest of a copy, which is written last. */
export function copyManifestKey(at: ArchiveLocation, generation: string): string {
  return `${copyManifestPrefix(at)}${generation}.json`;
}
