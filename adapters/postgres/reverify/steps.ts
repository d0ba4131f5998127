import { COPY_OPTIONS } from '../../../core/pins.ts';
import type { ReverifyCandidates } from '../../../core/reverify/request.ts';
import type { ReverifyFence, ReverifyReading, ReverifyStart } from '../../../core/reverify/steps.ts';
import { inTransaction, translated, type Connection } from '../connect.ts';
import { copyOutByDriver } from '../copy-by-driver.ts';
import { pin } from '../pins.ts';

/** What `reverify` does as `archiver_maintain`. */
export function reverifyFence(connection: Connection): ReverifyFence {
  return {
    verifiedSince: (partitionId, time) =>
      translated(`status of partition ${String(partitionId)}`, async () => {
        const [row] = await connection<{ done: boolean }[]>`
          select state in ('verified', 'dropped') and verified_at >= ${time.toISOString()}::timestamptz as done
            from partition_archiver.partition where id = ${partitionId}::bigint`;
        return row?.done === true;
      }),

    begin: (partitionId) =>
      inTransaction(connection, `fencing partition ${partitionId} again`, async (transaction) => {
        const [row] = await transaction<[{ start: ReverifyStart }]>`
          select partition_archiver.begin_reverify(${partitionId}::bigint) as start`;
        return row.start;
      }),
  };
}

/**
 * What `reverify` does as `archiver_read`.
 *
 * @param open a connection for one COPY, ended afterwards (see `verifyDatabase`)
 */
export function reverifyReading(connection: Connection, open: () => Connection): ReverifyReading {
  return {
    readSegment: async (partitionId, segmentNumber, consume) => {
      const copying = open();
      try {
        // What was streamed was read by the other reader.
        return await copyOutByDriver(
          copying,
          `reading segment ${segmentNumber} of partition ${partitionId}`,
          async (transaction) => {
            await pin(transaction);
            const [row] = await transaction<[{ source: { query: string } }]>`
              select partition_archiver.reverify_source(${partitionId}::bigint, ${segmentNumber}::integer) as source`;
            return `copy (${row.source.query}) to stdout with (${COPY_OPTIONS})`;
          },
          consume,
        );
      } finally {
        await copying.end({ timeout: 5 });
      }
    },

    record: (partitionId, segmentNumber, fence, { rows, bytes, lineHashSum }) =>
      inTransaction(
        connection,
        `verdict on segment ${segmentNumber} of partition ${partitionId}`,
        async (transaction) => {
          await transaction`
            select partition_archiver.record_reverified(${partitionId}::bigint, ${segmentNumber}::integer, ${fence}::text,
                     ${rows}::bigint, ${bytes}::bigint, ${lineHashSum}::text)`;
        },
      ),

    recordMismatch: (partitionId, segmentNumber, fence) =>
      inTransaction(
        connection,
        `verdict on segment ${segmentNumber} of partition ${partitionId}`,
        async (transaction) => {
          await transaction`
            select partition_archiver.record_reverify_mismatch(${partitionId}::bigint, ${segmentNumber}::integer,
                     ${fence}::text)`;
        },
      ),

    finish: (partitionId, manifestVersionId) =>
      inTransaction(connection, `verifying partition ${partitionId} again`, async (transaction) => {
        await transaction`
          select partition_archiver.finish_reverify(${partitionId}::bigint, ${manifestVersionId}::text)`;
      }),
  };
}

/**
 * Which partitions can be verified again: verified ones, and those that a broken seal, such as a major upgrade makes, or an
 * earlier reverify blocks.
 */
export function reverifyCandidates(connection: Connection): ReverifyCandidates {
  return {
    reverifiable: () =>
      translated('looking for verified partitions', async () => {
        const rows = await connection<{ id: number }[]>`
          select id from partition_archiver.partition
           where system_identifier = partition_archiver.system_identifier() and database_name = current_database() and manifest_version_id is not null and quarantine_name is not null
             and (state = 'verified' or state = 'blocked'
                  and (blocked_code = 'Reverify' or blocked_state = 'verified' and blocked_code = 'SealBroken'))
           order by verified_at, id`;
        return rows.map(({ id }) => id);
      }),
  };
}
