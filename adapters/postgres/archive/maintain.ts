import postgres from 'postgres';
import type { PartitionSetConfig } from '../../../core/config/partition-set.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { DetachOutcome, DetachRefusals, Expiring, SetReference } from '../../../core/archive/detach.ts';
import type { Inventory, MaintainDatabase, SetHealth } from '../../../core/archive/maintain.ts';
import { displayName } from '../../../core/partition.ts';
import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';
import { translateCaught } from '../errors.ts';
import { partmanExtension } from '../partman-extension.ts';
import { askOfParent, findParent } from '../partition-set.ts';
import { TRIAL_TIMEOUT_MS } from './commit.ts';
import { SQLSTATE } from '../sqlstates.ts';
import { quarantineDatabase } from './quarantine.ts';

const ANOTHER_SESSION = 'another session maintains just now';
/** How long one try waits for another session that maintains. */
const MAINTENANCE_LOCK_MS = 1_000;

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
      return inTransaction(connection, doing, async (transaction) => {
        notices.length = 0;
        const parent = await findParent(transaction, set);
        await transaction`select partition_archiver.wait_for_autovacuum_of_default(${parent}::oid)`;
        await makePartitions(transaction, set, parent, notices, doing);
        await giveToOwner(transaction, parent);
        return notices.filter((notice) => notice.startsWith('WARNING'));
      });
    },

    expiring: (set) =>
      translated(`retention of ${displayName(set.schema, set.table)}`, async () => {
        const parent = await findParent(connection, set);
        return connection<Expiring[]>`
          select e.table_oid as oid, e.table_schema as schema, e.table_name as table
            from partition_archiver.expiring(${parent}::oid, ${set.timeZone}::text) e`;
      }),

    refusals: async ({ oid, schema, table }) => {
      const doing = `refusals of ${displayName(schema, table)}`;
      try {
        return await inTransaction(connection, doing, async (transaction) => {
          await transaction`select set_config('statement_timeout', ${String(TRIAL_TIMEOUT_MS)}, true)`;
          const [answer] = await transaction<[{ refusals: DetachRefusals }]>`
            select partition_archiver.detach_refusals(${oid}::oid) as refusals`;
          return answer.refusals;
        });
      } catch (error) {
        // It took too long, and says nothing; the trial of rows before the drop does.
        if (error instanceof ArchiverError && error.code === 'Interrupted') return { refused: [], lacks: [] };
        throw error;
      }
    },

    detach: async (set, { oid, schema, table }) => {
      const doing = `detach of ${displayName(schema, table)}`;
      return inTransaction(connection, doing, async (transaction) => {
        const parent = await findParent(transaction, set);
        const [answer] = await transaction<[{ outcome: DetachOutcome }]>`
          select partition_archiver.detach_partition(${parent}::oid, ${oid}::oid) as outcome`;
        return answer.outcome;
      });
    },

    references: (sets) =>
      translated('foreign keys between the partition sets', () => {
        const named = sets.map(({ schema, table }) => ({ schema, table }));
        return connection<SetReference[]>`
          select r.referencing as from, r.referenced as to
            from partition_archiver.set_references(${connection.json(named)}::jsonb) r`;
      }),

    detached: (set) =>
      translated(`candidates of ${displayName(set.schema, set.table)}`, async () => {
        const rows = await connection<{ id: number }[]>`
          select c.id from partition_archiver.candidates(${await findParent(connection, set)}::oid) c
           where c.state = 'detached' and c.past_retention`;
        return rows.map(({ id }) => id);
      }),

    quarantine: (partitionId, segmentBytes) =>
      quarantineDatabase(connection).quarantine(partitionId, segmentBytes),

    health: (set) =>
      translated(`health of ${displayName(set.schema, set.table)}`, async () => {
        const [answer] = await askOfParent<SetHealth>(
          connection,
          set,
          connection`(
            select rows_in_default as "rowsInDefault", future_partitions as "futurePartitions", unknown_tables as "unknownTables",
                   unfinished_detaches as "unfinishedDetaches", gaps
              from partition_archiver.health(parent.oid, ${set.timeZone}::text))`,
        );
        return answer;
      }),
  };
}

/**
 * Has pg_partman make the future partitions, and detach nothing: what cannot leave would roll back what is made. There is no
 * switch for it, so the retention is null between two updates of one transaction, which holds the row; no other session ever
 * sees it.
 *
 * `run_maintenance` and not `run_maintenance_proc`: that one cannot run in a transaction, stops at the first broken
 * set, and leaks a session lock into a pooled connection.
 */
async function makePartitions(
  transaction: Transaction,
  set: PartitionSetConfig,
  parent: number,
  notices: readonly string[],
  doing: string,
): Promise<void> {
  await transaction`
    select set_config('timezone', ${set.timeZone}, true), set_config('client_min_messages', 'notice', true)`;
  const extension = await partmanExtension(transaction);
  await waitForMaintenance(transaction, doing);
  await transaction`select partition_archiver.set_lock_timeout()`;
  const config = transaction`${transaction(extension.schema)}.part_config`;
  // pg_partman keeps and compares the name without quotes.
  const name = `${set.schema}.${set.table}`;
  const [before] = await transaction<{ retention: string | null }[]>`
    select retention from ${config} where parent_table = ${name} for update`;
  if (before === undefined)
    throw new ArchiverError(
      'PreflightFailed',
      `pg_partman does not know ${displayName(set.schema, set.table)}`,
    );
  // A new partition takes the set's foreign keys, and with them locks on what they reference.
  await transaction`select partition_archiver.lock_referenced(${parent}::oid, 'share row exclusive')`;
  await transaction`update ${config} set retention = null where parent_table = ${name}`;
  await transaction`
    select ${transaction(extension.schema)}.run_maintenance(p_parent_table => ${name}::text, p_analyze => false)`;
  await transaction`update ${config} set retention = ${before.retention} where parent_table = ${name}`;
  await assertMaintained(transaction, extension.schema, name, notices, doing);
}

/**
 * Waits for pg_partman's own lock, before anything else is locked: a session that maintains may wait for the row of
 * `part_config` with its locks on tables in hand. A waiting session is the next to have the lock, where one that only tries
 * may miss each short time between two sessions that maintain.
 */
async function waitForMaintenance(transaction: Transaction, doing: string): Promise<void> {
  await transaction`select set_config('lock_timeout', ${String(MAINTENANCE_LOCK_MS)}, true)`;
  try {
    await transaction`select pg_advisory_xact_lock(hashtext('pg_partman run_maintenance'))`;
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === SQLSTATE.lockNotAvailable)) throw error;
    throw new ArchiverError('LockNotAvailable', `${doing}: ${ANOTHER_SESSION}`);
  }
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
    throw new ArchiverError('LockNotAvailable', `${doing}: ${ANOTHER_SESSION}`);
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
