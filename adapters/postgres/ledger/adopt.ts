import type { AdoptDatabase, AdoptionAnswer } from '../../../core/ledger/adopt.ts';
import { inTransaction, type Connection } from '../connect.ts';
import { findParent } from '../partition-set.ts';

/** `adopt` on PostgreSQL: one function in db/ledger/adopt.sql, as archiver_maintain. */
export function adoptDatabase(connection: Connection): AdoptDatabase {
  return {
    adopt: ({ table, partitionSet, bounds }) =>
      inTransaction(connection, `adoption of the table with oid ${String(table)}`, async (transaction) => {
        const parent = await findParent(transaction, partitionSet);
        const [answer] = await transaction<[AdoptionAnswer]>`
          select partition as "partitionId", lower_bound as "lowerBound", upper_bound as "upperBound", to_jsonb(problems) as problems
            from partition_archiver.adopt(${table}::oid, ${parent}::oid, ${bounds?.lower ?? null}::text,
                   ${bounds?.upper ?? null}::text, ${partitionSet.timeZone}::text)`;
        return answer;
      }),
  };
}
