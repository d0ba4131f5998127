import type { Candidate, DetectDatabase, Forecast, ForecastDrop } from '../../../core/archive/detect.ts';
import { displayName } from '../../../core/partition.ts';
import { translated, type Connection } from '../connect.ts';
import { askOfParent, findParent } from '../partition-set.ts';

/** `detect` on PostgreSQL. */
export function detectDatabase(connection: Connection): DetectDatabase {
  return {
    candidates: (set) =>
      translated(`candidates of ${displayName(set.schema, set.table)}`, async () => {
        const found = await askOfParent<Candidate | { readonly id: null }>(
          connection,
          set,
          connection`(
            select id, table_schema as schema, table_name as table, state, lower_bound as "lowerBound", upper_bound as "upperBound",
                   past_retention as "pastRetention", due
              from partition_archiver.candidates(parent.oid))`,
        );
        return found.filter((candidate): candidate is Candidate => candidate.id !== null);
      }),

    forecast: (set, sets) =>
      translated(`forecast of ${displayName(set.schema, set.table)}`, async () => {
        const others = sets.map(({ schema, table, timeZone }) => ({ schema, table, timeZone }));
        const rows = await connection<(Omit<Forecast, 'partition'> & { schema: string; table: string })[]>`
          with parent as materialized (select ${await findParent(connection, set)}::oid as oid),
               leaving as materialized (
                 select partition_archiver.leaving_before(parent.oid, ${connection.json(others)}::jsonb) as oids from parent)
          select f.table_schema as schema, f.table_name as table, f.lower_bound as "lowerBound", f.upper_bound as "upperBound", f.attached,
                 nullif(f.estimated_rows, -1) as rows, f.bytes, f.segments, r.found as "keptBy"
            from parent cross join leaving
            cross join partition_archiver.forecast(parent.oid, ${set.timeZone}::text, ${set.segmentSizeMiB * 1024 * 1024}::bigint) f
            left join lateral partition_archiver.describe_references(
                   parent.oid, to_regclass(format('%I.%I', f.table_schema, f.table_name))::oid, leaving.oids) r on f.attached`;
        return named(rows);
      }),

    forecastDrops: (set) =>
      translated(`forecast of ${displayName(set.schema, set.table)}`, async () =>
        named(
          await connection<(Omit<ForecastDrop, 'partition'> & { schema: string; table: string })[]>`
            select table_schema as schema, table_name as table, lower_bound as "lowerBound", upper_bound as "upperBound",
                   row_count as rows, table_bytes as bytes
              from partition_archiver.forecast_drops(${await findParent(connection, set)}::oid, ${set.graceDays}::numeric)`,
        ),
      ),
  };
}

/** With the name of the partition as people write it. */
const named = <T extends { readonly schema: string; readonly table: string }>(
  rows: readonly T[],
): (Omit<T, 'schema' | 'table'> & { readonly partition: string })[] =>
  rows.map(({ schema, table, ...rest }) => ({ partition: displayName(schema, table), ...rest }));
