import postgres from 'postgres';
import { ArchiverError } from '../../core/errors.ts';
import { codeForSqlstate, messageMayQuoteValues, SQLSTATE } from './sqlstates.ts';

/** Errors of the driver and of Node when there is no connection, or none any more. */
const CONNECTION_ERRORS = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** TLS could not be agreed on, or the certificate is not to be trusted. */
const TLS_ERROR = /^(ERR_TLS|ERR_SSL|EPROTO|UNABLE_TO_|HOSTNAME_MISMATCH)|CERT/;

/**
 * PostgreSQL's own words for a row that text cannot hold (1 GB), where its SQLSTATE is an internal error, whose words are
 * English whatever lc_messages says. Where it is not, 54000 tells.
 */
const ROW_TOO_LARGE = 'invalid memory alloc request size';

/**
 * The error of the catalogue for what the driver threw. Neither DETAIL, nor parameters, nor the text of the query are
 * kept, since they hold values; nor is the message where its class quotes them.
 */
export function translate(error: unknown, doing: string): unknown {
  if (error instanceof ArchiverError) return error;
  if (error instanceof postgres.PostgresError) return translateServerError(error, doing);
  const code = codeOf(error);
  if (code !== undefined && (CONNECTION_ERRORS.has(code) || TLS_ERROR.test(code))) {
    return new ArchiverError('DatabaseUnavailable', `${doing}: no connection to the database (${code})`);
  }
  return error;
}

/**
 * pg_partman catches every error and raises it again as P0001, with its CONTEXT, DETAIL and HINT in the text of the
 * message: what it was has to be read from PostgreSQL's own words. That they are English is looked at by the preflight.
 */
const RERAISED: readonly (readonly [RegExp, string])[] = [
  [/canceling statement due to lock timeout/, SQLSTATE.lockNotAvailable],
  [/deadlock detected/, SQLSTATE.deadlockDetected],
  [/canceling statement due to (statement timeout|user request)/, SQLSTATE.queryCanceled],
  [/No space left on device/, SQLSTATE.diskFull],
  [/out of shared memory/, SQLSTATE.outOfMemory],
];

/** What a statement of ours is refused with where the archiver is not installed. */
const NOT_THERE: ReadonlySet<string> = new Set([
  SQLSTATE.invalidSchemaName,
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedFunction,
]);

function translateServerError(error: postgres.PostgresError, doing: string): ArchiverError {
  const sqlstate = sqlstateBehind(error);
  const [firstPart = ''] = error.message.split(/\n\s*(?:CONTEXT|DETAIL|HINT):/);
  const text = messageMayQuoteValues(sqlstate) ? 'the message is left out, it may quote values' : firstPart;
  const state = sqlstate === SQLSTATE.raiseException ? error.code : sqlstate;
  const message = `${doing}: ${text}${wordsOfS3(error)}${functionOfOthers(error)} (SQLSTATE ${state})`;
  if (sqlstate === SQLSTATE.internalError && error.message.startsWith(ROW_TOO_LARGE))
    return new ArchiverError('RowTooLarge', message);
  if (NOT_THERE.has(sqlstate) && /\bpartition_archiver\b/.test(error.message)) {
    return new ArchiverError(
      'NotPrepared',
      `${message}: this database is not prepared yet, or is another one`,
    );
  }
  if (metAnotherSession(error)) return new ArchiverError('TransactionAborted', message);
  const fromExport = error.code === SQLSTATE.externalRoutineException || error.code === SQLSTATE.systemError;
  if (
    fromExport &&
    /denied|\b403\b|not authorized|NoSuchBucket|s3(Ex|Im)port/i.test(
      `${error.message} ${error.detail ?? ''} ${error.hint ?? ''}`,
    )
  ) {
    return new ArchiverError('ExportDenied', message);
  }
  return new ArchiverError(codeForSqlstate(sqlstate), message);
}

/**
 * Two sessions changed the same thing in the catalogs at once. Roles are those of the whole server: passwords and
 * memberships meet where two of its databases are prepared at the same time. PostgreSQL has no SQLSTATE for it, and does
 * not translate it.
 */
function metAnotherSession({ code, message, schema_name: schema }: postgres.PostgresError): boolean {
  if (code === SQLSTATE.internalError) return /^tuple concurrently (updated|deleted)$/.test(message);
  return code === SQLSTATE.uniqueViolation && schema === 'pg_catalog';
}

/** Functions whose errors are told without their names: ours, and those of the extensions that we call. */
const NOT_OF_OTHERS = /^(partition_archiver\w*|partman|aws_s3\w*|aws_commons)\.|^inline_code_block/;

/**
 * The foreign function that the error was raised in, by its name alone: an event trigger's, a trigger's. The
 * CONTEXT that names it begins with the innermost, and has statements and values beside it.
 */
function functionOfOthers({ where = '' }: postgres.PostgresError): string {
  const [, name] =
    /\bPL\/\w+[- ]\p{L}+ "?((?:"[^"\n]+"|[\w$]+)(?:\.(?:"[^"\n]+"|[\w$]+))?)(?:\(|")/u.exec(where) ?? [];
  if (name === undefined || NOT_OF_OTHERS.test(name)) return '';
  return `, in function ${name}`;
}

/** The one DETAIL that is kept, in part: the reason that aws_s3 has from S3, without which its message says nothing. */
function wordsOfS3({ code, detail = '' }: postgres.PostgresError): string {
  if (code !== SQLSTATE.externalRoutineException && code !== SQLSTATE.systemError) return '';
  const [, words] = /Amazon S3 client returned ['"]([\w :,.-]{1,100})/.exec(detail) ?? [];
  return words === undefined ? '' : `, S3 said: ${words.replace(/\W+$/, '')}`;
}

function sqlstateBehind(error: postgres.PostgresError): string {
  if (error.code !== SQLSTATE.raiseException) return error.code;
  return sqlstateOfWords(error.message);
}

function sqlstateOfWords(message: string): string {
  return RERAISED.find(([words]) => words.test(message))?.[1] ?? SQLSTATE.raiseException;
}

/** The error for the message of one that pg_partman caught and reported as a warning. */
export function translateCaught(message: string, doing: string): ArchiverError {
  const [firstPart = ''] = message.split(/\n\s*(?:CONTEXT|DETAIL|HINT):/);
  return new ArchiverError(codeForSqlstate(sqlstateOfWords(message)), `${doing}: ${firstPart}`);
}

/**
 * Whether a time limit of the server was over, in milliseconds as its client has measured them: two clocks may part by
 * 0.05 % while they are set right (adjtimex), and a hundredth is plenty.
 */
export const isOver = (ranMs: number, timeoutMs: number): boolean => ranMs >= timeoutMs * 0.99;

/**
 * Whether the server ended a statement by its `statement_timeout`, and not because it was cancelled: both have one
 * SQLSTATE, and words in the server's language. So it is told by how long the statement ran, in milliseconds as its client
 * has measured them, which are never fewer than the server's.
 */
export function isStatementTimeout(error: unknown, ranMs: number, timeoutMs: number): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.code === SQLSTATE.queryCanceled &&
    isOver(ranMs, timeoutMs)
  );
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
