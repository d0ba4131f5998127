import type { CopyManifest } from './copy-manifest.ts';

type Column = CopyManifest['columns'][number];

/** Whether a column is microseconds since 1970 in the file. */
export const isTimestamp = ({ kind }: Column): boolean => kind === 'timestamp' || kind === 'timestamptz';

/**
 * Milliseconds, cut off and not rounded, also before 1970. `date_add` takes a number of 32 bits and overflows 25 days after 1970;
 * seconds as a double are exact to the millisecond from the year 1 to 9999.
 */
export const athenaMilliseconds = (value: string): string =>
  `CAST(from_unixtime(CAST((${value} - mod(mod(${value}, 1000) + 1000, 1000)) / 1000 AS double) / 1000, 'UTC') AS timestamp(3))`;

/**
 * Microseconds since 1970, also of a timestamp that an archive holds as text for the sake of another value. NULL for a column of
 * another type, for infinity, and for what lies before the year 1 or after 9999.
 */
export function athenaMicros(value: string, held: Column): string {
  if (isTimestamp(held)) return value;
  if (!held.type.startsWith('timestamp')) return 'NULL';
  const seconds = `CAST(to_unixtime(CAST(substr(${value}, 1, 19) AS timestamp(3))) AS bigint)`;
  const fraction = `rpad(coalesce(regexp_extract(${value}, '[.](\\d+)', 1), ''), 6, '0')`;
  return `CASE WHEN regexp_like(${value}, '^\\d{4}-[^ ]+ [0-9:.]+([+]00)?$') THEN ${seconds} * 1000000 + CAST(${fraction} AS bigint) END`;
}

/**
 * PostgreSQL's text, where shapes hold a column in different types; of floating-point numbers Athena's. A cast of a `real` keeps
 * seven digits of it, where it takes nine to tell one from another: by way of a double none is lost.
 */
export function athenaText(value: string, held: Column): string {
  switch (held.kind) {
    case 'boolean':
      return `CASE ${value} WHEN true THEN 't' WHEN false THEN 'f' END`;
    case 'bytea':
      return `'\\x' || lower(to_hex(${value}))`;
    case 'float':
      return `CAST(${value} AS double)`;
    case 'timestamp':
      return timestampText(value);
    case 'timestamptz':
      return `${timestampText(value)} || '+00'`;
    default:
      return value;
  }
}

/** Seconds, and of the microseconds as many digits as there are. */
function timestampText(value: string): string {
  const fraction = `mod(mod(${value}, 1000000) + 1000000, 1000000)`;
  const digits = `regexp_replace(lpad(CAST(${fraction} AS varchar), 6, '0'), '0+$', '')`;
  return `substr(CAST(${athenaMilliseconds(value)} AS varchar), 1, 19) || CASE ${fraction} WHEN 0 THEN '' ELSE '.' || ${digits} END`;
}
