import type { TableName } from '../../../core/partition-table/database.ts';
import { translated, type Connection } from '../connect.ts';

/** Bytes of a table's heap, of which a copy and a comparison read each block; 0 where there is no such table. */
export function readTableBytes(connection: Connection, { schema, table }: TableName): Promise<number> {
  return translated(`reading the size of ${table}`, async () => {
    const [row] = await connection<[{ bytes: number | null }]>`
      select pg_relation_size(to_regclass(format('%I.%I', ${schema}::text, ${table}::text)))::float8 as bytes`;
    return row.bytes ?? 0;
  });
}
