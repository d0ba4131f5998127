import type { CommitDatabase, Evidence, RowTrial } from '../../../core/archive/commit.ts';
import type { Compression, Proof } from '../../../core/config/partition-set.ts';
import { withProof, withTimeZone } from '../../../core/manifest.ts';
import { inTransaction, translated, type Connection, type Transaction } from '../connect.ts';
import { isStatementTimeout } from '../errors.ts';
import { readStatus } from './status.ts';

/** What `partition_archiver.begin_commit` returns, as far as it is used. */
interface BegunCommit {
  readonly archive_id: string;
  readonly system_identifier: string;
  readonly database_name: string;
  readonly table_oid: number | string;
  readonly table_schema: string;
  readonly table_name: string;
  readonly parent_schema: string;
  readonly parent_name: string;
  readonly original_owner: string;
  readonly control_column: string;
  readonly control_kind: 'time' | 'id';
  readonly bounds: string;
  readonly lower_bound: string;
  readonly upper_bound: string;
  readonly period: string;
  readonly attach_statement: string;
  readonly time_zone: string | null;
  readonly column_list: string;
  readonly ddl: Record<string, unknown>;
  readonly statements: string[];
  readonly postgresql: string;
  readonly extensions: Record<string, string>;
  readonly quarantined_at: string;
  readonly exported_at: string;
  readonly segments: readonly {
    readonly number: number;
    readonly first_block: number;
    readonly next_block: number | null;
    readonly row_count: number;
    readonly byte_count: number;
    readonly sha256: string;
    readonly line_hash_sum: string;
    readonly order_differs: boolean;
    readonly proof: Proof;
    readonly compression: Compression | null;
    readonly objects: { key: string; versionId: string; bytes: number }[];
  }[];
}

/** Some hundred rows take a second; a function of the application's may take for ever. */
export const TRIAL_TIMEOUT_MS = 60_000;

/** Of the function's quarter of an hour: 38 GB are read at 79 MB/s, and what follows takes two minutes. */
const COUNT_TIMEOUT_MS = 8 * 60_000;

/** `commit` on PostgreSQL. */
export function commitDatabase(
  connection: Connection,
  { countTimeoutMs = COUNT_TIMEOUT_MS, trialTimeoutMs = TRIAL_TIMEOUT_MS } = {},
): CommitDatabase {
  return {
    status: (partitionId) => readStatus(connection, partitionId),

    evidence: (partitionId) =>
      inTransaction(connection, `evidence for partition ${String(partitionId)}`, async (transaction) => {
        const [row] = await transaction<[{ evidence: BegunCommit }]>`
          select partition_archiver.begin_commit(${partitionId}::bigint) as evidence`;
        return toEvidence(row.evidence);
      }),

    countWhole: async (partitionId, archiveId) => {
      const counted = await withinTime(
        connection,
        countTimeoutMs,
        `count of partition ${String(partitionId)}`,
        async (transaction) => {
          await transaction`select partition_archiver.count_whole(${partitionId}::bigint, ${archiveId}::uuid)`;
          return true;
        },
      );
      return counted !== null;
    },

    tryRows: (partitionId) =>
      withinTime(
        connection,
        trialTimeoutMs,
        `trial of rows of partition ${String(partitionId)}`,
        async (transaction) => {
          const [row] = await transaction<[{ trial: RowTrial }]>`
            select partition_archiver.try_rows(${partitionId}::bigint) as trial`;
          return row.trial;
        },
      ),

    commit: (partitionId, { manifest, object, sha256 }, graceDays) =>
      inTransaction(connection, `commit of partition ${String(partitionId)}`, async (transaction) => {
        await transaction`
          select partition_archiver.commit_archive(${partitionId}::bigint, ${manifest.archiveId}::uuid, ${object.key}::text,
            ${object.versionId}::text, ${sha256}::text, ${manifest.contents.rows}::bigint, ${manifest.contents.bytes}::bigint,
            ${graceDays}::numeric, ${manifest.contents.countedWhole}::boolean)`;
      }),

    scheduleDrop: (partitionId, graceDays) =>
      translated(`scheduling the drop of partition ${String(partitionId)}`, async () => {
        await connection`select partition_archiver.schedule_drop(${partitionId}::bigint, ${graceDays}::numeric)`;
      }),
  };
}

/** Ends the transaction of a statement that took too long; never seen outside this file. */
class TimedOut extends Error {}

/** What a statement in a transaction of its own returns; `null` where the server ended it after `timeoutMs`. */
async function withinTime<T>(
  connection: Connection,
  timeoutMs: number,
  doing: string,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T | null> {
  try {
    return await inTransaction(connection, doing, async (transaction) => {
      await transaction`select set_config('statement_timeout', ${String(timeoutMs)}, true)`;
      const began = performance.now();
      try {
        return await work(transaction);
      } catch (error) {
        throw isStatementTimeout(error, performance.now() - began, timeoutMs) ? new TimedOut() : error;
      }
    });
  } catch (error) {
    if (error instanceof TimedOut) return null;
    throw error;
  }
}

function toEvidence(row: BegunCommit): Evidence {
  return {
    location: {
      database: row.database_name,
      parentSchema: row.parent_schema,
      parentName: row.parent_name,
      period: row.period,
      archiveId: row.archive_id,
    },
    source: {
      systemIdentifier: row.system_identifier,
      database: row.database_name,
      postgresql: row.postgresql,
      extensions: row.extensions,
    },
    partition: {
      schema: row.table_schema,
      name: row.table_name,
      oid: Number(row.table_oid),
      owner: row.original_owner,
      parentSchema: row.parent_schema,
      parentName: row.parent_name,
      controlColumn: row.control_column,
      controlKind: row.control_kind,
      bounds: row.bounds,
      lowerBound: row.lower_bound,
      upperBound: row.upper_bound,
      period: row.period,
      attachStatement: row.attach_statement,
    },
    columns: row.column_list,
    segments: row.segments.map((segment) => ({
      number: segment.number,
      firstBlock: segment.first_block,
      nextBlock: segment.next_block,
      rows: segment.row_count,
      bytes: segment.byte_count,
      ...(segment.compression !== null && { compression: segment.compression }),
      sha256: segment.sha256,
      lineHashSum: segment.line_hash_sum,
      orderDiffers: segment.order_differs,
      objects: segment.objects.map(({ key, versionId, bytes }) => ({ key, versionId, bytes })),
    })),
    ddl: {
      template: withProof(
        row.time_zone === null ? row.ddl : withTimeZone(row.ddl, row.time_zone),
        row.segments,
      ),
      statements: row.statements,
    },
    quarantinedAt: row.quarantined_at,
    exportedAt: row.exported_at,
  };
}
