import type { Candidate, DetectDatabase, Forecast } from '../../core/detect.ts';
import { displayName } from '../../core/partition.ts';
import { translated, type Connection } from './connect.ts';
import { askOfParent, findParent } from './partition-set.ts';

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

    forecast: (set) =>
      translated(`forecast of ${displayName(set.schema, set.table)}`, async () => {
        const rows = await connection<(Omit<Forecast, 'partition'> & { schema: string; table: string })[]>`
          select table_schema as schema, table_name as table, lower_bound as "lowerBound", upper_bound as "upperBound", attached,
                 estimated_rows as rows, bytes, segments
            from partition_archiver.forecast(${await findParent(connection, set)}::oid, ${set.timeZone}::text,
                   ${set.segmentSizeMiB * 1024 * 1024}::bigint)`;
        return rows.map(({ schema, table, ...forecast }) => ({
          partition: displayName(schema, table),
          ...forecast,
        }));
      }),
  };
}
