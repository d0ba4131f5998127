import { ArchiverError } from '../../../core/errors.ts';
import { COPY_OPTIONS } from '../../../core/pins.ts';
import { displayName } from '../../../core/partition.ts';
import { comparePartitions, digestByPartition, type Sums } from '../../../core/partition-table/compare.ts';
import type {
  ComparedRange,
  PartitionTableDatabase,
  PartitionTableJob,
} from '../../../core/partition-table/database.ts';
import {
  inTransaction,
  translated,
  type Connection,
  type Transaction,
  type TransactionMode,
} from '../connect.ts';
import { copyOut } from '../copy.ts';
import { pin } from '../pins.ts';
import { quoteIdentifier } from '../quote.ts';
import { createShadowPartitions } from './partman.ts';

type RangeAndQueries = ComparedRange &
  Readonly<{ partitions: readonly string[]; source: string; shadow: string }>;

/** Each takes some ten entries of the lock table, and this runs while the application continues. */
const PARTITIONS_DROPPED_AT_ONCE = 50;

/**
 * `partition-table` on PostgreSQL: the functions of db/partition-table/tables.sql and those after it on an administrator's connection, and
 * pg_partman's `create_parent`. `open` makes a further connection for one COPY.
 */
export function partitionTableDatabase(
  connection: Connection,
  open: () => Connection,
): PartitionTableDatabase {
  const find = (schema: string, table: string): Promise<PartitionTableJob | undefined> =>
    translated(`partitioning of ${displayName(schema, table)}`, async () => {
      const [{ ready }] = await connection<[{ ready: boolean }]>`
        select to_regproc('partition_archiver.extend_partition_job') is not null as ready`;
      if (!ready) {
        throw new ArchiverError(
          'PreflightFailed',
          'the database is not prepared, or by an earlier version: prepare it first',
        );
      }
      const [row] = await connection<PartitionTableJob[]>`
        select id, state, options - 'largestScan' as plan, size, compared_to is not null as comparing, coalesce(checked, '[]') as checked
          from partition_archiver.partition_job
         where table_schema = ${schema} and table_name = ${table} and database_name = current_database()
           and system_identifier = partition_archiver.system_identifier() and state not in ('dropped', 'rolled back')
         order by id desc limit 1`;
      return row;
    });
  const call = (
    doing: string,
    work: (transaction: Transaction) => Promise<unknown>,
    mode?: TransactionMode,
  ): Promise<void> =>
    inTransaction(connection, doing, (transaction) => work(transaction).then(() => undefined), mode);

  const cancel = (id: number, partitions: number): Promise<number> =>
    inTransaction(connection, `rolling back partitioning ${String(id)}`, async (transaction) => {
      const [row] = await transaction<[{ left: number }]>`
        select partition_archiver.cancel_partition_job(${id}::bigint, ${partitions}::bigint) as left`;
      return row.left;
    });

  return {
    find,

    begin: async (plan, limits) => {
      const { schema, table, control, mode } = plan;
      const doing = `partitioning ${displayName(schema, table)}`;
      await inTransaction(connection, doing, async (transaction) => {
        const [source] = await transaction<{ oid: number }[]>`
          select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${schema} and c.relname = ${table}`;
        if (source === undefined)
          throw new ArchiverError('InvalidInput', `there is no table ${displayName(schema, table)}`);
        await transaction`
          select partition_archiver.begin_partition_job(${source.oid}::oid, ${control}::name, ${mode}::text, ${transaction.json({ ...plan, ...(limits !== undefined && { largestScan: limits.largestScanBytes }) })}::jsonb)`;
      });
      const job = await find(schema, table);
      if (job === undefined)
        throw new ArchiverError('StateConflict', `${doing}: it was rolled back by another session`);
      return job;
    },

    makePartitions: async (job) => {
      const doing = `partitions of ${job.plan.table}`;
      await call(doing, async (transaction) => {
        const [{ made }] = await transaction<[{ made: boolean }]>`
          select exists (select from pg_inherits i join partition_archiver.partition_job r on r.shadow_oid = i.inhparent
                          where r.id = ${job.id}::bigint) as made`;
        if (made) return;
        // Offline, the shadow table has foreign keys, and each new partition locks the tables that they reference. A delete there
        // locks the referenced table, then the shadow table: in another order, both wait for each other.
        await transaction`
          select partition_archiver.lock_referenced(r.shadow_oid, 'share row exclusive')
            from partition_archiver.partition_job r where r.id = ${job.id}::bigint`;
        await transaction`select partition_archiver.set_lock_timeout()`;
        await createShadowPartitions(transaction, job.plan);
      });
      // Apart, since this locks the table for a moment, and may have to be tried again.
      await call(
        doing,
        (transaction) => transaction`select partition_archiver.begin_copy(${job.id}::bigint)`,
      );
    },

    copyBlocks: (job, blocks) =>
      inTransaction(connection, `copying rows of ${job.plan.table}`, async (transaction) => {
        const [{ left }] = await transaction<[{ left: number }]>`
          select partition_archiver.copy_blocks(${job.id}::bigint, ${blocks}::bigint) as left`;
        if (left === 0)
          await transaction.unsafe(`analyze partition_archiver_shadow.${quoteIdentifier(job.plan.table)}`);
        return left;
      }),

    applyChanges: (job) =>
      inTransaction(
        connection,
        `changed rows of ${job.plan.table}`,
        async (transaction) => {
          const [row] = await transaction<[{ taken: number }]>`
            select partition_archiver.apply_changes(${job.id}::bigint) as taken`;
          return row.taken;
        },
        'repeatable read',
      ),

    extend: (job) =>
      call(
        `further partitions of ${job.plan.table}`,
        (transaction) => transaction`select partition_archiver.extend_partition_job(${job.id}::bigint)`,
      ),

    beginComparison: (job) =>
      call(
        `comparison of ${job.plan.table} with its shadow table`,
        (transaction) => transaction`select partition_archiver.begin_comparison(${job.id}::bigint)`,
      ),

    compareRange: async (job, limits) => {
      const doing = `comparing ${job.plan.table} with its shadow table`;
      const found = await inTransaction(connection, doing, async (transaction) => {
        const [row] = await transaction<[{ range: RangeAndQueries }]>`
          select partition_archiver.range_to_compare(${job.id}::bigint, ${limits?.rangeBytes ?? null}::bigint,
            ${limits?.largestScanBytes ?? null}::bigint) as range`;
        return row.range;
      });
      const { partitions, source, shadow, ...range } = found;
      const verdict = await inTransaction(
        connection,
        doing,
        async (transaction) => {
          // Both are read in the snapshot of this transaction, which stays open meanwhile.
          const [{ snapshot }] = await transaction<
            [{ snapshot: string }]
          >`select pg_export_snapshot() as snapshot`;
          const ours = await digestIn(open(), doing, snapshot, source);
          const theirs = await digestIn(open(), doing, snapshot, shadow);
          // TransactionAborted where another session made partitions since the snapshot (see extend_shadow()).
          await transaction`select from partition_archiver.partition_job where id = ${job.id}::bigint for update`;
          return comparePartitions(partitions, ours, theirs);
        },
        'repeatable read',
      );
      return { range, verdict };
    },

    recordCompared: (job, { check, from, to }, partitions) =>
      call(
        `comparison of ${job.plan.table}`,
        (transaction) => transaction`
          select partition_archiver.record_compared(${job.id}::bigint, ${check}::integer, ${from}::text, ${to}::text,
            ${transaction.json(partitions.map((each) => ({ ...each })))}::jsonb)`,
      ),

    verifyApplied: (job) =>
      call(
        `changed rows of ${job.plan.table}`,
        async (transaction) => {
          const [{ differing }] = await transaction<[{ differing: number }]>`
            select partition_archiver.verify_applied(${job.id}::bigint) as differing`;
          if (differing > 0) {
            throw new ArchiverError(
              'ShadowDiffers',
              `${String(differing)} changed rows of ${job.plan.table} differ from its shadow table`,
            );
          }
        },
        'repeatable read',
      ),

    swap: (job, mostRows) =>
      call(
        `swap of ${job.plan.table}`,
        (transaction) =>
          transaction`select partition_archiver.swap_partition_job(${job.id}::bigint, ${mostRows}::bigint)`,
      ),

    cancel: ({ id }) => cancel(id, 0).then(() => undefined),

    rollBack: async ({ id }) => {
      // First and separately, so that the table is not locked while partitions are dropped.
      let left = await cancel(id, 0);
      while (left > 0) left = await cancel(id, PARTITIONS_DROPPED_AT_ONCE);
      await call(
        `rolling back partitioning ${String(id)}`,
        (transaction) => transaction`select partition_archiver.roll_back_partition_job(${id}::bigint)`,
      );
    },

    dropReplaced: ({ id }) =>
      call(
        `dropping the table that partitioning ${String(id)} replaced`,
        (transaction) => transaction`select partition_archiver.drop_replaced(${id}::bigint)`,
      ),
  };
}

/** Reads a query in another session's snapshot, on a connection that is ended afterwards. */
async function digestIn(
  copying: Connection,
  doing: string,
  snapshot: string,
  query: string,
): Promise<ReadonlyMap<number, Sums>> {
  const begin = async (transaction: Transaction): Promise<string> => {
    await transaction.unsafe(`set transaction snapshot '${snapshot}'`);
    await pin(transaction);
    return `copy (${query}) to stdout with (${COPY_OPTIONS})`;
  };
  try {
    return await copyOut(copying, doing, begin, digestByPartition, 'repeatable read');
  } finally {
    await copying.end({ timeout: 5 });
  }
}
