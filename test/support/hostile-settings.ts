import { serverMajor } from './stack.ts';

/**
 * Settings that a database may have for its sessions, each other than what the archiver needs: how SQL is read, what names
 * and values look like, what a transaction is, when a session ends.
 */
export const HOSTILE_SETTINGS: Readonly<Record<string, string>> = {
  // 19 refuses the one and does not know the other.
  ...(serverMajor() < 19 && { standard_conforming_strings: 'off', escape_string_warning: 'on' }),
  backslash_quote: 'off',
  quote_all_identifiers: 'on',
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Kathmandu',
  timezone_abbreviations: 'India',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  xmlbinary: 'hex',
  xmloption: 'document',
  array_nulls: 'off',
  transform_null_equals: 'on',
  row_security: 'off',
  check_function_bodies: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  exit_on_error: 'on',
  search_path: 'pg_temp',
  session_replication_role: 'replica',
  enable_tidscan: 'off',
  enable_partition_pruning: 'off',
  constraint_exclusion: 'off',
  synchronize_seqscans: 'on',
  synchronous_commit: 'off',
  statement_timeout: '20s',
  lock_timeout: '20s',
  idle_in_transaction_session_timeout: '20s',
  idle_session_timeout: '20s',
  lc_monetary: 'C.UTF-8',
  default_toast_compression: 'pglz',
  client_min_messages: 'error',
};
