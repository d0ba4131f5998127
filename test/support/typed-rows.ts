/**
 * Columns of every type that Parquet has one for, and an expression over the number `n` that gives each a value; with
 * their extremes below.
 */
const TYPED: readonly (readonly [name: string, type: string, value: string])[] = [
  ['a_boolean', 'boolean', 'n % 2 = 0'],
  ['a_smallint', 'smallint', '(n * 7919 % 65536 - 32768)::smallint'],
  ['an_integer', 'integer', '(n::bigint * 982451653 % 4294967296 - 2147483648)::integer'],
  ['a_bigint', 'bigint', "('x' || md5(n::text))::bit(64)::bigint"],
  ['an_oid', 'oid', '(n::bigint * 1431655 % 4294967296)::oid'],
  ['a_real', 'real', '(random() * 1000 - 500)::real'],
  ['a_double', 'double precision', 'exp(random() * 1400 - 700) * sign(random() - 0.5)'],
  ['n1', 'numeric(1,0)', '(random() * 18 - 9)::numeric(1,0)'],
  ['n9_0', 'numeric(9,0)', '(random() * 2e9 - 1e9)::numeric(9,0)'],
  ['n9_9', 'numeric(9,9)', '((random() - 0.5) * 2)::numeric(9,9)'],
  ['n10', 'numeric(10,0)', '((random() - 0.5) * 1.9e10)::numeric(10,0)'],
  ['n18', 'numeric(18,4)', '(random() * 1e14 - 5e13)::numeric(18,4)'],
  ['n19', 'numeric(19,1)', "(('x' || md5('a' || n))::bit(64)::bigint::numeric / 10)::numeric(19,1)"],
  [
    'n38',
    'numeric(38,10)',
    "(('x' || md5('b' || n))::bit(64)::bigint::numeric * 4611686018427387904 / 1000000000 / 1000)::numeric(38,10)",
  ],
  ['n20_0', 'numeric(20,0)', '(random() * 1e15)::numeric(20,0)'],
  ['a_date', 'date', "date '0001-01-01' + (random() * 3652058)::integer"],
  ['a_timestamp', 'timestamp', "timestamp '0001-01-01' + random() * 3652058 * interval '1 day'"],
  [
    'a_timestamptz',
    'timestamptz',
    "(timestamp '0001-01-01' + random() * 3652058 * interval '1 day') at time zone 'UTC'",
  ],
  ['a_millisecond', 'timestamp(3)', "(now() + n * interval '1 ms')::timestamp(3)"],
  ['some_bytes', 'bytea', "decode(md5(n::text), 'hex')"],
  ['a_uuid', 'uuid', 'md5(n::text)::uuid'],
  ['a_jsonb', 'jsonb', "jsonb_build_object('number', n)"],
];

/** The columns, as `create table` takes them. */
export const TYPED_COLUMNS = TYPED.map(([name, type]) => `${name} ${type}`).join(', ');

/** Their names. */
export const TYPED_NAMES = TYPED.map(([name]) => name).join(', ');

/** A value of each column, as a select list over the number that this expression gives. */
export const typedValues = (n: string): string =>
  TYPED.map(([, , value]) => value.replaceAll(/\bn\b/g, n)).join(', ');

/** Rows of the least, the greatest and the awkward values, behind the columns that they are of. */
export const TYPED_EXTREMES = {
  columns:
    'a_smallint, an_integer, a_bigint, an_oid, a_real, a_double, n1, n9_0, n9_9, n18, n19, n38, a_date, a_timestamp, a_timestamptz, some_bytes',
  rows: [
    "-32768, -2147483648, -9223372036854775808, 0, 'NaN', 'NaN', -9, -999999999, -0.999999999, -99999999999999.9999, -999999999999999999.9, -9999999999999999999999999999.9999999999, '0001-01-01', '0001-01-01', '0001-01-01 00:00:00+00', ''",
    "32767, 2147483647, 9223372036854775807, 4294967295, '-Infinity', 'Infinity', 9, 999999999, 0.999999999, 99999999999999.9999, 999999999999999999.9, 9999999999999999999999999999.9999999999, '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', '\\x00ff'",
    "0, 0, 0, 1, '-0', '-0', 0, 0, 0, 0, 0, 0, '1970-01-01', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00.000001+00', '\\x0a09'",
    "1, 9, 9007199254740993, 9, '1e-45', 5e-324, 1, 1, 0.000000001, 0.0001, 0.1, 0.0000000001, '2024-02-29', '1900-02-28 23:59:59.9', '2038-01-19 03:14:08+00', '\\x5c6e'",
  ],
};
