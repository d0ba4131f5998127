import type * as DuckDbModule from '@duckdb/node-api';
import type { DuckDBValue, DuckDBValueConverter, Json } from '@duckdb/node-api';
import { float4Text } from '../../core/query/pg-float.ts';

/**
 * How a value of a result is shown: as by the package's JSON converter, except for four kinds of values that PostgreSQL prints
 * in another way. The converter prints an infinite date as a finite day (findings/duckdb-node-infinity.sh), a FLOAT with the
 * digits of a DOUBLE (0.10000000149011612 for 0.1), bytes as DuckDB's text of them, which PostgreSQL does not read, and
 * an interval as an object of months, days and microseconds.
 */
export function shownValue(
  duckDb: Pick<typeof DuckDbModule, 'DuckDBTypeId' | 'JsonDuckDBValueConverter'>,
): DuckDBValueConverter<Json> {
  const { DuckDBTypeId, JsonDuckDBValueConverter } = duckDb;
  return (value, type, convert) => {
    if (type.typeId === DuckDBTypeId.FLOAT && Number.isFinite(value)) {
      return Number(float4Text(value as number));
    }
    if (type.typeId === DuckDBTypeId.BLOB && value !== null) {
      return `\\x${Buffer.from((value as unknown as { readonly bytes: Uint8Array }).bytes).toString('hex')}`;
    }
    if (type.typeId === DuckDBTypeId.INTERVAL && value !== null) return String(value);
    return infinity(value) ?? JsonDuckDBValueConverter(value, type, convert);
  };
}

/** Each class of dates and timestamps has one field: the days, seconds or parts of a second since 1970. */
function infinity(value: DuckDBValue): string | undefined {
  if (typeof value !== 'object' || value === null || !('isFinite' in value) || value.isFinite)
    return undefined;
  const [sinceEpoch] = Object.values(value) as (number | bigint)[];
  return sinceEpoch !== undefined && sinceEpoch < 0 ? '-infinity' : 'infinity';
}
