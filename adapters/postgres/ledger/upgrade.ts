import type { UpgradedRow, UpgradeLedgerDatabase, IdentityMismatch } from '../../../core/ledger/upgrade.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';

/** `upgrade-ledger` on PostgreSQL: one function in db/ledger/upgrade.sql, as `archiver_maintain`. */
export function upgradeLedgerDatabase(connection: Connection): UpgradeLedgerDatabase {
  return {
    upgradeLedger: ({ from, database, forget }) =>
      inTransaction(
        connection,
        `upgrade of the ledger from the system ${from}`,
        (transaction) => transaction<UpgradedRow[]>`
          select id, table_schema as schema, table_name as table, was, state, remark
            from partition_archiver.upgrade_ledger(${from}::bigint, ${forget}::boolean,
              coalesce(${database}::name, current_database()))`,
      ),

    identityMismatches: () =>
      translated('looking for rows of before an upgrade or a rename', async () => {
        const rows = await connection<IdentityMismatch[]>`
          select system::text as from, database from partition_archiver.identity_mismatches()`;
        return rows.map(({ from, database }) => ({ from, database }));
      }),
  };
}
