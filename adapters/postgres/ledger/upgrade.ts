import type { MovedRow, MoveInDatabase, Stranger } from '../../../core/ledger/upgrade.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';

/** `move-in` on PostgreSQL: one function in db/ledger/upgrade.sql, as `archiver_maintain`. */
export function moveInDatabase(connection: Connection): MoveInDatabase {
  return {
    moveIn: ({ from, database, leave }) =>
      inTransaction(
        connection,
        `moving in from the system ${from}`,
        (transaction) => transaction<MovedRow[]>`
          select id, table_schema as schema, table_name as table, was, state, remark
            from partition_archiver.move_in(${from}::bigint, ${leave}::boolean,
              coalesce(${database}::name, current_database()))`,
      ),

    strangers: () =>
      translated('looking for rows of before an upgrade or a rename', async () => {
        const rows = await connection<Stranger[]>`
          select system::text as from, database from partition_archiver.strangers()`;
        return rows.map(({ from, database }) => ({ from, database }));
      }),
  };
}
