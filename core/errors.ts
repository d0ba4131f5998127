/**
 * The closed catalogue of errors. A code is stable: Step Functions matches it in Retry and Catch, alarms and the
 * runbook name it, and the README explains each.
 */

import { sqlstateHint } from './sqlstate-hints.ts';

/** What the catalogue says of one code. */
interface CatalogueEntry {
  /** Trying again, unchanged, may help. */
  readonly retryable: boolean;
  /** The partition is set to `blocked`: nothing happens to it until an operator acts. */
  readonly blocks: boolean;
  /** What to do, in whole sentences. */
  readonly hint: string;
}

const retry = (hint: string): CatalogueEntry => ({ retryable: true, blocks: false, hint });
const stop = (hint: string): CatalogueEntry => ({ retryable: false, blocks: false, hint });
const block = (hint: string): CatalogueEntry => ({ retryable: false, blocks: true, hint });

/** Every error that partition-archiver throws on purpose. */
export const CATALOGUE = {
  // What somebody configured or asked for.
  InvalidConfiguration: stop('Correct the configuration; every mistake is listed.'),
  InvalidInput: stop(
    'Correct the input of the execution; every field is optional and may only narrow what is configured.',
  ),
  PreflightFailed: stop('Fix what is listed, then start again.'),
  NotPrepared: stop(
    'Start PrepareDatabase, or run npm run archive -- prepare, as an administrator; the next run then works. If the database was prepared before, look whether the name of the database is right, and whether the passwords of the roles are those of their secrets.',
  ),

  // What may pass by itself.
  DatabaseUnavailable: retry(
    'Check that the database and the proxy are up, that the security groups let the Lambda in, and that the name of the database and the secret are right.',
  ),
  StorageFull: retry(
    'Give the database more storage, or free some. Then run it again: it continues where it stopped, and a restore that is given up frees what it took.',
  ),
  LockNotAvailable: retry(
    'Look for long transactions on the table and on tables that it references; the run gives up so that the application does not have to wait.',
  ),
  TransactionAborted: retry('Nothing to do: the statement is tried again.'),
  ReaderBehind: retry(
    'Look at the lag of the reader that segments are verified at, and whether its endpoint belongs to this database.',
  ),
  SegmentBusy: retry('An earlier call still runs on the server; it ends by its statement timeout.'),
  ObjectStoreUnavailable: retry('Check the S3 endpoint and its route; S3 may be throttling.'),
  ExportFailed: retry(
    'Look at the message of aws_s3: the route from the database to S3 (port 443) is the usual cause.',
  ),
  ExportTimedOut: retry(
    'S3 took next to nothing from the database while a whole export call lasted: check the route from the database to S3, and whether S3 throttles. The partition stays as it is and the next run continues. If S3 is well, the block holds values that are far larger than they are stored: archive this partition by hand.',
  ),

  // What an operator has to look at; the partition stays as it is and the next run resumes.
  DatabaseRejected: stop(
    'Look at the message and at the SQLSTATE, whose class says what kind of error it is.',
  ),
  ExportDenied: stop(
    'Attach the export role to the database for the feature s3Export, and let it put objects under the archive prefix.',
  ),
  ObjectStoreDenied: stop('Let the role of this Lambda do what the message names.'),
  StateConflict: stop(
    'Another execution or an operator changed this partition in the meantime; look at its ledger row and run again.',
  ),
  NotInLedger: stop(
    'Look the number or the name up: npm run archive -- status lists the partitions; partition_archiver.restore and partition_archiver.partition_job have the rest.',
  ),
  PartitionReferenced: stop(
    'Delete or move the rows that refer to the partition, or drop the foreign key (alter table … drop constraint …); the next run then detaches it. Future partitions are made all the same.',
  ),
  NotDue: stop('Nothing to do: it is dropped by the first run after its grace period.'),
  Interrupted: retry('Nothing to do: the step ran out of its time and is resumed.'),

  // What blocks a partition.
  PartitionRefused: block('Change what the reason names, then release the partition.'),
  IdentityChanged: block(
    'Somebody replaced, renamed or moved the table; find out who, then release the partition.',
  ),
  SealBroken: block(
    'Somebody changed the table behind the fence, or the server was upgraded; have it verified again before it is dropped.',
  ),
  HasDependents: block(
    'Drop what depends on the partition, or release it; it is never dropped with CASCADE.',
  ),
  BoundsViolated: block(
    'Hand the table back to its owner, move the rows that are out of bounds, then release the partition.',
  ),
  ContentMismatch: block(
    'The archive is not what the table holds. Find out why before you release the partition, which exports the segment again.',
  ),
  ObjectMissing: block(
    'An object of the archive is gone or not readable; the table is still there. Make it readable again, or release the partition to export it again.',
  ),
  ArchiveExpired: block(
    'It is past the expiry that is configured. Where the table is still there, release it and archive it again; otherwise take the delete markers off its objects, if their versions are still there.',
  ),
  UnexpectedObject: block(
    'There is an object under the keys of this archive that nobody accounted for; find out who put it there.',
  ),
  ManifestConflict: block(
    'There is a manifest under this archive id already, and it says something else; find out who wrote it.',
  ),
  PlanIncomplete: block(
    'The plan of segments is not complete; have the partition released and archived again.',
  ),
  BlockTooLarge: block(
    'One heap block holds more than one export call can take. Raise the limits, or archive this partition by hand.',
  ),
  RowTooLarge: block(
    'A value is too large for COPY text (1 GB a row). Archive this partition by hand, or release it.',
  ),
  DdlNotReproducible: block(
    'The archived DDL does not recreate the table. Where the reason gives a statement, run it and release the partition to the pipeline. Otherwise report it, since the table cannot be dropped safely.',
  ),
  RestoreIncomplete: block(
    'The rows would come back, and what is named would not: run the statement that is given or fix the function, then release the partition to the pipeline. Where a restore without it will do, set acceptIncompleteRestore for the partition set first.',
  ),

  // Restore. Nothing was changed, or what was begun is resumed by trying again.
  ManifestInvalid: stop(
    'Find out who wrote or deleted this manifest. An earlier version of it can be named by its VersionId if it is known to be good; an administrator who deletes what lies before that version, a delete marker too, fixes it.',
  ),
  ArchiveDamaged: stop(
    'Have the archive audited. An object that was written over or deleted has its earlier versions still: deleting the newer ones, or the delete marker, makes the one of the manifest the current one again.',
  ),
  DependencyMissing: stop(
    'Create what is listed, in this order; or leave out foreign keys or grants, or name another owner. With acceptIncomplete the rows are restored without what is missing, columns of such a type as text.',
  ),
  TargetExists: stop('Choose another schema or name for the restored table, or move what is there.'),
  AttachRefused: stop(
    'Fix what is listed, or restore without attaching it; a parent of its own without retention takes any restored partition.',
  ),
  ImportDenied: stop(
    'Attach the import role to the database for the feature s3Import, and let it read the archive prefix.',
  ),
  ImportFailed: retry(
    'Look at the message of aws_s3: the route from the database to S3 (port 443) is the usual cause.',
  ),

  DrillFailed: stop(
    'Audit the archive that is named and restore it under another name; what the message says of it would have met you in an emergency.',
  ),
  AuditFailed: stop(
    'Look at the archives that are listed. What is damaged is fixed from an earlier version of the object; what has no verdict is audited again once its cause is fixed.',
  ),

  // Setup.
  ShadowDiffers: stop(
    'Nothing changed places. Roll the partitioning back; if it happens again, report it with the partitions that are named.',
  ),

  // Parquet copies, and queries over them. The archive itself is never touched.
  CopyRefused: stop(
    'The archive is as good as it was; it can be restored and has no Parquet copy. Look at what the message names.',
  ),
  CopyNotProven: stop(
    'Nothing was uploaded. Read back from the local disk the copy was not the text of the archive: check the disk and the memory of this machine, convert again, and report it if it happens again.',
  ),
  CopyInvalid: stop(
    'Convert the archive again: a new generation of the copy takes the place of this one, which stays as it is.',
  ),
  CopyConflict: stop('Somebody else wrote the same generation of the copy at the same time; convert again.'),
  CopyMissing: stop('Convert the archives that are listed: npm run archive -- convert.'),
  ArchivesOverlap: stop(
    'The rows of two archives of one period may be the same ones. Narrow the period by --from and --to, or take the latest archive of each period by --latest.',
  ),
  ArchiveCold: stop(
    'The text lies in a Glacier tier. Have S3 make a readable copy of it (the workflow Restore does, as does aws s3api restore-object), then convert.',
  ),
  LocalDiskFull: stop('Free disk space, name another folder by --directory, or allow more by --disk-mib.'),
  QueryRefused: stop(
    'Write one statement that only reads the archives: SELECT, WITH, VALUES, DESCRIBE or SUMMARIZE.',
  ),
  QueryFailed: stop(
    'Look at the message of the engine. Where it ran out of memory, give it more by --memory-mib, or read fewer columns or periods.',
  ),
  QueryEngineMissing: stop(
    'Install the engine beside the product: npm install --no-save @duckdb/node-api, in the version that package.json names.',
  ),

  // The end of a run.
  PartitionsFailed: stop(
    'Look at the partitions that are listed; run or redrive the execution after fixing them.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE;

/** Codes for which trying again, unchanged, may help: what the state machine retries. */
export const RETRYABLE_CODES: readonly ErrorCode[] = (Object.keys(CATALOGUE) as ErrorCode[]).filter(
  (code) => CATALOGUE[code].retryable,
);

/** Codes for which trying again, unchanged, changes nothing: what the state machine never retries. */
export const FINAL_CODES: readonly ErrorCode[] = (Object.keys(CATALOGUE) as ErrorCode[]).filter(
  (code) => !CATALOGUE[code].retryable,
);

/** Whether a string is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code);
}

/** What to do: by the class of the SQLSTATE that the message ends with, where the server's error is told by it alone. */
function hintFor(code: ErrorCode, message: string): string {
  const byClass = code === 'DatabaseRejected' || code === 'DatabaseUnavailable';
  return (byClass ? sqlstateHint(message) : undefined) ?? CATALOGUE[code].hint;
}

/** An error as reports show it. */
export interface DescribedError {
  readonly code: string;
  readonly message: string;
  /** What to do, where the catalogue knows. */
  readonly hint?: string;
}

/** What is known of an error by its code and message. */
export function describeError(code: string, message: string): DescribedError {
  return { code, message, ...(isErrorCode(code) && { hint: hintFor(code, message) }) };
}

/** The same in one line. */
export const formatError = ({ code, message, hint = '' }: DescribedError): string =>
  `${code}, ${message}. ${hint}`;

/**
 * An error of the catalogue. Its `name` is the code, which is what Lambda reports as `errorType` and what Step
 * Functions matches. The message is lower case without a full stop and never holds row values, secrets or a
 * PostgreSQL DETAIL.
 */
export class ArchiverError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = code;
  }

  /** Whether trying again, unchanged, may help. */
  get retryable(): boolean {
    return CATALOGUE[this.code].retryable;
  }

  /** What to do about it. */
  get hint(): string {
    return hintFor(this.code, this.message);
  }

  /** Whether a partition that met this error is to be blocked. */
  get blocks(): boolean {
    return CATALOGUE[this.code].blocks;
  }
}
