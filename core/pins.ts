/**
 * Settings that change the bytes of COPY text or the rows of a query, pinned by `SET LOCAL` wherever a table is read or
 * filled, and recorded in the manifest. Tried on PostgreSQL 15: `DateStyle 'SQL, DMY'` at one end only turned
 * 2021-02-01 into 2021-01-02, with equal counts.
 */
export const PINS: Readonly<Record<string, string>> = Object.freeze({
  // What values look like.
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  search_path: 'pg_catalog, pg_temp',
  quote_all_identifiers: 'off',
  // Where it is off, NULL in an array comes back as the word.
  array_nulls: 'on',
  // An error instead of a filter.
  row_security: 'off',
  // The same order each time, so that bytes can be compared.
  synchronize_seqscans: 'off',
  max_parallel_workers_per_gather: '0',
});

/**
 * What a database, or a role in it, may have for its sessions and an administrator's must not depend on: how SQL is read,
 * what names and values look like, when a session ends. Any role may set these. db/schema/settings.sql has the same for
 * an installation by psql, and db/schema/roles.sql for the login roles.
 */
export const SESSION_PINS: Readonly<Record<string, string>> = Object.freeze({
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  quote_all_identifiers: 'off',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  xmloption: 'content',
  array_nulls: 'on',
  transform_null_equals: 'off',
  row_security: 'on',
  check_function_bodies: 'on',
  default_table_access_method: 'heap',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  exit_on_error: 'off',
  // What a query on the catalogs costs is estimated far too high: to compile one took 0.7 s (PostgreSQL 15.20).
  jit: 'off',
  statement_timeout: '0',
  // For a lock that no statement asks for with a shorter one. An installation waits for one in another database.
  lock_timeout: '1min',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  search_path: '"$user", public',
});

/** COPY options of the archive, as aws_s3 and COPY both take them. Text has exactly one line a row; CSV has not. */
export const COPY_OPTIONS = "format text, encoding 'UTF8'";
