/**
 * The closed catalogue of errors. A code is stable: Step Functions matches it in Retry and Catch, alarms and the
 * runbook name it, and `docs/errors.md`, which is written from it, explains each.
 */

import { COPY_ERRORS } from './errors/copies.ts';
import { block, retry, stop, type CatalogueEntry } from './errors/entry.ts';
import { asSentence } from './in-one-line.ts';
import { sqlstateHint } from './sqlstate-hints.ts';

/** Every error that partition-archiver throws on purpose. */
export const CATALOGUE = {
  // What was configured or asked for.
  InvalidConfiguration: stop('Correct the configuration; every mistake is listed.'),
  InvalidInput: stop(
    'Correct the input. docs/operations.md has the fields of each state machine, --help the options of each command.',
  ),
  PreflightFailed: stop('Fix what is listed, then start again.'),
  NotPrepared: stop(
    'Start PrepareDatabase, or run npm run archive -- prepare, as an administrator; the next run then works. If the database was prepared before, look whether the name of the database is right, and whether the passwords of the roles are those of their secrets.',
  ),

  // What may pass without an operator.
  DatabaseUnavailable: retry(
    'Check that the database and the proxy are up, that the security groups admit the function, and that the database name and the secret are correct.',
  ),
  StorageFull: retry(
    'Add storage to the database or free some, then start again: the run resumes where it stopped. Cancelling a restore frees the storage that it used.',
  ),
  LockNotAvailable: retry(
    'Look for long transactions on the table and on the tables that it references. The step gives up its lock request early, so that the application does not wait for it.',
  ),
  TransactionAborted: retry('Nothing to do: the statement is tried again.'),
  ReaderBehind: retry(
    'Check the replica lag of database.verifyEndpoint, and that the endpoint belongs to this database.',
  ),
  SegmentBusy: retry(
    'Nothing to do: an earlier call still runs on the server and ends at its statement timeout.',
  ),
  ObjectStoreUnavailable: retry('Check the S3 endpoint and its route; S3 may be throttling.'),
  ExportFailed: retry(
    'Look at the message of aws_s3: the route from the database to S3 (port 443) is the usual cause.',
  ),
  ExportTimedOut: retry(
    'S3 accepted almost no data during a whole export call: check the route from the database to S3, and whether S3 throttles. The partition is unchanged and the next run resumes. If S3 is healthy, one block holds values whose text is far larger than their stored form: archive this partition by hand.',
  ),

  // What an operator has to look at; the partition stays as it is and the next run resumes.
  DatabaseRejected: stop('Look at the message and at the SQLSTATE, whose class gives the kind of error.'),
  ExportDenied: stop(
    'Attach the export role to the database for the feature s3Export, and allow it to put objects under the archive prefix.',
  ),
  ObjectStoreDenied: stop('Grant the role of this function the action that the message names.'),
  StateConflict: stop(
    'If the message names a state that this step does not apply to, npm run archive -- status shows what the partition is in. Otherwise another execution or an operator changed it at the same time: run again.',
  ),
  NotInLedger: stop(
    'Look up the number or the name: npm run archive -- status lists the partitions; the tables partition_archiver.restore and partition_archiver.partition_job list restores and partitioning jobs.',
  ),
  PartitionReferenced: stop(
    'Delete or move the rows that refer to the partition, or drop the foreign key (alter table … drop constraint …); the next run then detaches the partition. Future partitions are created in any case.',
  ),
  DetachRefused: stop(
    'The partition stays attached and keeps its rows. Change what the message names, or run the statement that it gives; the next run then detaches the partition. Objects that a restore may lack are accepted by acceptIncompleteRestore of the partition set.',
  ),
  NotDue: stop(
    'If the message has a time, the first run after it drops the partition. For a verified partition without one, set "drop": true for its set: the next run schedules the drop. Resume a blocked partition.',
  ),
  ProofInDoubt: stop(
    'What was streamed and read again did not match, so nothing is dropped that was proven by one reading. Find the cause of the ContentMismatch that status shows, and resume or release that partition; the next run then drops the others. Reverify those that were proven before if the cause was in this product or its runtime.',
  ),
  Interrupted: retry('Nothing to do: the step reached its time limit and is resumed.'),

  // What blocks a partition.
  PartitionRefused: block('Change what the reason names, then resume the partition.'),
  IdentityChanged: block(
    'The table was replaced, renamed or moved, or its set was given another kind of key. Find out who did it, then resume the partition.',
  ),
  SealBroken: block(
    'The table was changed despite the fence, or the server was upgraded. Reverify the partition; it is not dropped before.',
  ),
  HasDependents: block(
    'Drop the dependent objects and resume the partition, or release it to its owner. Partitions are never dropped with CASCADE.',
  ),
  BoundsViolated: block(
    'Release the partition to its owner, move the rows that are out of bounds, then resume it.',
  ),
  ContentMismatch: block(
    'The archive differs from the table. Find the cause before you resume the partition: the segment is then exported again.',
  ),
  ObjectMissing: block(
    'An object of the archive is missing or cannot be read; the table still exists. Make the object readable and resume the partition, or release it to its owner to archive it again.',
  ),
  ArchiveExpired: block(
    'The archive is past archive.expiry. If the table still exists, release the partition to its owner, then resume it: it is archived again. Otherwise delete the delete markers of the objects, if their versions still exist.',
  ),
  UnexpectedObject: block(
    'An object that the ledger does not know lies under the keys of this archive. Find out who wrote it. Then release the partition to its owner and resume it: the next archive has a new id, and so other keys.',
  ),
  ManifestConflict: block(
    'A manifest with other contents already exists for this archive id. Find out who wrote it. Then release the partition to its owner and resume it: the next archive has a new id.',
  ),
  PlanIncomplete: block(
    'The plan of segments is incomplete. Release the partition to its owner, then resume it: it is archived again.',
  ),
  BlockTooLarge: block(
    'One heap block holds more than one export call can write. Archive this partition by hand: the runbook says how.',
  ),
  RowTooLarge: block(
    'A value is too large for COPY text (1 GB a row). Archive this partition by hand, or release it to its owner.',
  ),
  DdlNotReproducible: block(
    'The archived DDL does not recreate the table. Where the reason gives a statement, run it and resume the partition. Otherwise report it, since the table cannot be dropped safely.',
  ),
  RestoreIncomplete: block(
    'A restore would return the rows without the objects that are named. Run the statement that is given or fix the function, then resume the partition. If a restore without them is acceptable, set acceptIncompleteRestore for the partition set first.',
  ),

  // Restore. Nothing was changed, or what was begun is resumed by trying again.
  ManifestInvalid: stop(
    'Find out who wrote or deleted this manifest. To restore from an earlier version that is known to be good, name its VersionId. To fix the archive, an administrator deletes every newer version of the object, delete markers included.',
  ),
  ArchiveDamaged: stop(
    'Audit the archive. An object that was overwritten or deleted still has its earlier versions: an administrator deletes the newer versions or the delete marker, and the version that the manifest names is current again.',
  ),
  DependencyMissing: stop(
    'Create what is listed, in this order; or omit foreign keys or grants, or name another owner. With acceptIncomplete the rows are restored without the missing objects, and columns of a missing type as text.',
  ),
  TargetExists: stop('Choose another schema or name for the restored table, or move the existing object.'),
  AttachRefused: stop(
    'Fix what is listed, or restore without attaching. A separate parent without retention accepts any restored partition.',
  ),
  ImportDenied: stop(
    'Attach the import role to the database for the feature s3Import, and allow it to read the archive prefix.',
  ),
  ImportFailed: retry(
    'Look at the message of aws_s3: the route from the database to S3 (port 443) is the usual cause.',
  ),

  DrillFailed: stop(
    'Audit the archive that is named and restore it under another name. A real restore of this archive would have failed with the same error.',
  ),
  AuditFailed: stop(
    'Look at the archives that are listed. Fix a damaged archive from an earlier version of the object. Audit an archive without a verdict again once the cause is fixed.',
  ),

  // Setup.
  ExecutionRunning: stop(
    'Wait until the executions that are named have ended, or stop them (aws stepfunctions stop-execution), then start PrepareDatabase again. The next run resumes what a stopped one left.',
  ),
  ShadowDiffers: stop(
    'The tables were not swapped. Roll back the partitioning; if the error returns, report it with the partitions that are named.',
  ),

  // Parquet copies, and queries over them. The archive itself is never touched.
  ...COPY_ERRORS,

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
  // A list of problems ends with the sentence, or the statement, that is the way out of the last one.
  `${asSentence(`${code}, ${message}`)} ${hint}`.trimEnd();

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
