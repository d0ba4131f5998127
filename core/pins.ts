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

/** COPY options of the archive, as aws_s3 and COPY both take them. Text has exactly one line a row; CSV has not. */
export const COPY_OPTIONS = "format text, encoding 'UTF8'";
