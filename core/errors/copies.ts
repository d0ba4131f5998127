import { retry, stop, type CatalogueEntry } from './entry.ts';

/** Errors of Parquet copies, and of queries over them. The archive itself is never touched. */
export const COPY_ERRORS = {
  CopyRefused: stop(
    'The archive is unaffected and can be restored, but has no Parquet copy. Fix what the message names.',
  ),
  CopyNotProven: stop(
    'Nothing was uploaded. The copy, read back from the local disk, differs from the text of the archive: check the disk and memory of this machine, convert again, and report the error if it returns.',
  ),
  CopyInvalid: stop(
    'Convert the archive again: a new generation of the copy supersedes this one, which is kept unchanged.',
  ),
  CopyConflict: stop(
    'Another process wrote the same generation of the copy at the same time. Convert again.',
  ),
  CopiesFailed: stop(
    'Look at the archives that are listed, each with the code of its error; the log of the function has the messages. The archives are unaffected, and the next execution of Convert tries them again.',
  ),
  CatalogDenied: stop(
    'Grant the role of the function Catalog the Glue action that the message names. If the account uses Lake Formation, also grant this role in Lake Formation: create database, and on the database create table, alter, describe and drop.',
  ),
  CatalogConflict: stop(
    'Name another database by glueDatabase, or rename or delete the Glue database, table or partition that the message names. Rename a column in the source table if two names differ only in case. What this archiver did not create is not changed.',
  ),
  CatalogRejected: stop('Look at the message of Glue. The copies and the archives are unaffected.'),
  CatalogFailed: retry('Nothing to do: the next execution of Convert registers what is missing.'),
  ArchiveListed: stop(
    'Start Convert with {"withdraw": ["<archive id>"]}, which removes the archive from the Glue database, then attach again. If the stack no longer has a glueDatabase, configure it again for this, or delete the Glue database and follow docs/query.md, "Without a Glue database".',
  ),
  CopyMissing: stop('Convert the archives that are listed: npm run archive -- convert.'),
  ArchivesOverlap: stop(
    'Two archives of one period may hold the same rows. Narrow the period by --from and --to, or take the latest archive of each period by --latest.',
  ),
  ArchiveCold: stop(
    'The text is in a Glacier tier. Request that S3 restores its objects (aws s3api restore-object; the runbook has the command under ConvertFailed), then convert.',
  ),
  LocalDiskFull: stop('Free disk space, name another folder by --directory, or allow more by --disk-mib.'),
  QueryRefused: stop(
    'Write one statement that only reads the archives: SELECT, WITH, VALUES, DESCRIBE or SUMMARIZE. It is in the SQL of DuckDB, where more names are keywords than in PostgreSQL: write those in double quotes ("at").',
  ),
  QueryFailed: stop(
    'Correct the statement: try_cast makes NULL of what does not convert, and isfinite() leaves infinite values out. If the engine ran out of memory, raise --memory-mib, or read fewer columns or periods.',
  ),
  QueryEngineMissing: stop(
    'Install the engine: npm install --no-save @duckdb/node-api, in the version that package.json names.',
  ),
} as const satisfies Record<string, CatalogueEntry>;
