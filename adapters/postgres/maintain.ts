import type { PartitionSetConfig } from '../../core/config/partition-set.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Inventory, MaintainDatabase, SetHealth } from '../../core/maintain.ts';
import { displayName } from '../../core/partition.ts';
import { inTransaction, translated, type Connection, type Transaction } from './connect.ts';
import { translateCaught } from './errors.ts';
import { askOfParent, findParent } from './partition-set.ts';

/** `maintain` on PostgreSQL; `notices` collects what the connection's `onnotice` was told. */
export function maintainDatabase(connection: Connection, notices: string[]): MaintainDatabase {
  return {
    inventory: (set) =>
      translated(`inventory of ${displayName(set.schema, set.table)}`, async () => {
        const [answer] = await askOfParent<Inventory>(
          connection,
          set,
          connection`(select * from partition_archiver.record_inventory(parent.oid, ${set.timeZone}::text))`,
        );
        return answer;
      }),

    runMaintenance: async (set) => {
      const doing = `maintenance of ${displayName(set.schema, set.table)}`;
      await makeWay(connection, set, doing);
      return inTransaction(connection, doing, async (transaction) => {
        notices.length = 0;
        await runMaintenance(transaction, set, notices, doing);
        await giveToOwner(transaction, await findParent(transaction, set));
        return notices.filter((notice) => notice.startsWith('WARNING'));
      });
    },

    health: (set) =>
      translated(`health of ${displayName(set.schema, set.table)}`, async () => {
        const [answer] = await askOfParent<SetHealth>(
          connection,
          set,
          connection`(
            select rows_in_default as "rowsInDefault", future_partitions as "futurePartitions", unknown_tables as "unknownTables",
                   unfinished_detaches as "unfinishedDetaches"
              from partition_archiver.health(parent.oid, ${set.timeZone}::text))`,
        );
        return answer;
      }),
  };
}

/** Has autovacuum give way on each partition that maintenance will detach, one transaction each. */
async function makeWay(connection: Connection, set: PartitionSetConfig, doing: string): Promise<void> {
  const expiring = await translated(
    doing,
    async () =>
      connection<{ oid: number }[]>`
      select c.oid from partition_archiver.forecast(${await findParent(connection, set)}::oid, ${set.timeZone}::text, ${2 ** 40}::bigint) f
        join pg_namespace n on n.nspname = f.table_schema
        join pg_class c on c.relnamespace = n.oid and c.relname = f.table_name
       where f.attached`,
  );
  for (const { oid } of expiring) {
    await inTransaction(connection, doing, async (transaction) => {
      await transaction`select partition_archiver.make_way(${oid}::oid)`;
    });
  }
}

/**
 * `run_maintenance` and not `run_maintenance_proc`: that one cannot run in a transaction, stops at the first broken
 * set, and leaks a session lock into a pooled connection. A quarter of `deadlock_timeout`, as everywhere.
 */
async function runMaintenance(
  transaction: Transaction,
  set: PartitionSetConfig,
  notices: readonly string[],
  doing: string,
): Promise<void> {
  await transaction`
    select partition_archiver.set_lock_timeout(), set_config('timezone', ${set.timeZone}, true),
           set_config('client_min_messages', 'notice', true)`;
  const [extension] = await transaction<{ schema: string }[]>`
    select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_partman'`;
  if (extension === undefined)
    throw new ArchiverError('PreflightFailed', 'extension pg_partman is not installed');
  // pg_partman keeps and compares the name without quotes.
  const name = `${set.schema}.${set.table}`;
  // Locked, so that nobody can have pg_partman drop partitions between the preflight and now.
  const [config] = await transaction<{ keeps: boolean }[]>`
    select retention_keep_table as keeps from ${transaction(extension.schema)}.part_config
     where parent_table = ${name} for share`;
  if (config?.keeps !== true) {
    throw new ArchiverError(
      'PreflightFailed',
      `${displayName(set.schema, set.table)} has retention_keep_table = false: pg_partman would drop partitions`,
    );
  }
  await transaction`
    select ${transaction(extension.schema)}.run_maintenance(p_parent_table => ${name}::text, p_analyze => false)`;
  await assertMaintained(transaction, extension.schema, name, notices, doing);
}

/**
 * `run_maintenance` also returns where it did nothing: every version says no more than a notice when another session
 * maintains just now, and from 5.5 on all errors of a set, lock timeouts too, end as a warning. From 5.1 on it records
 * when it came to its end.
 */
async function assertMaintained(
  transaction: Transaction,
  schema: string,
  name: string,
  notices: readonly string[],
  doing: string,
): Promise<void> {
  const [config] = await transaction<{ known: boolean; ran: boolean | null }[]>`
    select to_jsonb(p) ? 'maintenance_last_run' as known,
           (to_jsonb(p) ->> 'maintenance_last_run')::timestamptz >= transaction_timestamp() as ran
      from ${transaction(schema)}.part_config p where parent_table = ${name}`;
  if (notices.some((notice) => notice.includes('Partman maintenance already running'))) {
    throw new ArchiverError('LockNotAvailable', `${doing}: another session maintains just now`);
  }
  if (config?.known !== true || config.ran === true) return;
  const warning = notices.find((notice) => notice.startsWith('WARNING') && notice.includes(name));
  const caught = /skipped partition set for parent table .*?: ([^]*)/.exec(warning ?? '')?.[1];
  throw translateCaught(caught ?? warning ?? 'pg_partman skipped this partition set', doing);
}

/** Partitions that belong to our role would break the application's own migrations: "must be owner of table". */
async function giveToOwner(transaction: Transaction, parent: number): Promise<void> {
  const ours = await transaction<{ schema: string; table: string; owner: string }[]>`
    select n.nspname as schema, c.relname as table, pg_get_userbyid(p.relowner) as owner
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
      join pg_namespace n on n.oid = c.relnamespace
      join pg_class p on p.oid = i.inhparent
     where i.inhparent = ${parent}::oid and c.relowner <> p.relowner
       and c.relowner = (select oid from pg_roles where rolname = current_user)`;
  for (const { schema, table, owner } of ours) {
    await transaction`alter table ${transaction(schema)}.${transaction(table)} owner to ${transaction(owner)}`;
  }
}
