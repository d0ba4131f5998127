import type { ErrorCode } from '../../core/errors.ts';

/** SQLSTATEs that our own functions in db/ raise (class PA, which no other product uses). */
const OURS: Readonly<Record<string, ErrorCode>> = {
  PA001: 'StateConflict',
  PA002: 'IdentityChanged',
  PA003: 'SealBroken',
  PA004: 'PartitionRefused',
  PA005: 'SegmentBusy',
  PA006: 'HasDependents',
  PA007: 'NotDue',
  PA008: 'PlanIncomplete',
  PA009: 'BlockTooLarge',
  PA010: 'PreflightFailed',
  PA011: 'DdlNotReproducible',
  PA012: 'StateConflict',
  PA013: 'TargetExists',
  PA014: 'DependencyMissing',
  PA015: 'ManifestInvalid',
  PA016: 'ArchiveDamaged',
  PA017: 'AttachRefused',
  PA018: 'ShadowDiffers',
  PA019: 'ExportTimedOut',
  PA020: 'NotInLedger',
  PA021: 'PartitionReferenced',
  PA022: 'ArchiveListed',
  PA023: 'BoundsViolated',
  PA024: 'ProofInDoubt',
};

/** SQLSTATEs of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) that decide what to do. */
export const SQLSTATE = {
  queryCanceled: '57014',
  /** Both end the session. */
  idleInTransactionSessionTimeout: '25P03',
  transactionTimeout: '25P04',
  lockNotAvailable: '55P03',
  deadlockDetected: '40P01',
  /** Also what a reader says that replays something which the query stands in the way of. */
  serializationFailure: '40001',
  /** After a failover, the name of the writer may lead to a reader for a while. */
  readOnlyTransaction: '25006',
  /** There is no such database. */
  invalidCatalogName: '3D000',
  invalidSchemaName: '3F000',
  undefinedTable: '42P01',
  undefinedFunction: '42883',
  diskFull: '53100',
  outOfMemory: '53200',
  programLimitExceeded: '54000',
  dependentObjectsStillExist: '2BP01',
  uniqueViolation: '23505',
  internalError: 'XX000',
  /** RAISE EXCEPTION without a code of its own. */
  raiseException: 'P0001',
  /** What aws_s3 raises when S3 refuses. */
  externalRoutineException: '38000',
  /** What aws_s3 raises when the upload fails. */
  systemError: '58000',
} as const;

const THEIRS: Readonly<Record<string, ErrorCode>> = {
  [SQLSTATE.queryCanceled]: 'Interrupted',
  [SQLSTATE.idleInTransactionSessionTimeout]: 'Interrupted',
  [SQLSTATE.transactionTimeout]: 'Interrupted',
  [SQLSTATE.lockNotAvailable]: 'LockNotAvailable',
  [SQLSTATE.deadlockDetected]: 'TransactionAborted',
  [SQLSTATE.serializationFailure]: 'TransactionAborted',
  [SQLSTATE.readOnlyTransaction]: 'DatabaseUnavailable',
  [SQLSTATE.invalidCatalogName]: 'InvalidConfiguration',
  [SQLSTATE.diskFull]: 'StorageFull',
  [SQLSTATE.programLimitExceeded]: 'RowTooLarge',
  [SQLSTATE.dependentObjectsStillExist]: 'HasDependents',
  [SQLSTATE.externalRoutineException]: 'ExportFailed',
  [SQLSTATE.systemError]: 'ExportFailed',
};

/**
 * The code of the catalogue for a SQLSTATE. Whole classes: 08 connection, 28 authorization, 53 resources, 57P the session or
 * the server was ended.
 */
export function codeForSqlstate(sqlstate: string): ErrorCode {
  const exact = OURS[sqlstate] ?? THEIRS[sqlstate];
  if (exact !== undefined) return exact;
  // A rotated secret is refused once (28P01) and read again by the next try.
  if (/^(08|28|53|57P)/.test(sqlstate)) return 'DatabaseUnavailable';
  return 'DatabaseRejected';
}

/** SQLSTATE classes whose messages quote values: data exceptions and violated constraints. */
export function messageMayQuoteValues(sqlstate: string): boolean {
  return /^2[23]/.test(sqlstate);
}
