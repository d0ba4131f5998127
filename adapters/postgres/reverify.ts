import { COPY_OPTIONS } from '../../core/pins.ts';
import type { ReverifyDatabase, ReverifyStart } from '../../core/reverify.ts';
import { inTransaction, type Connection } from './connect.ts';
import { copyOut } from './copy.ts';
import { pin } from './pins.ts';

/** `reverify` on PostgreSQL: `archiver_maintain` fences, `archiver_read` reads and records, as in a run. */
export function reverifyDatabase({
  maintain,
  read,
  open,
}: {
  readonly maintain: Connection;
  readonly read: Connection;
  /** A connection as `archiver_read` for one COPY, ended afterwards (see `verifyDatabase`). */
  readonly open: () => Connection;
}): ReverifyDatabase {
  return {
    begin: (partition) =>
      inTransaction(maintain, `fencing partition ${partition} anew`, async (transaction) => {
        const [row] = await transaction<[{ start: ReverifyStart }]>`
          select partition_archiver.begin_reverify(${partition}::bigint) as start`;
        return row.start;
      }),

    readSegment: async (partition, segment, consume) => {
      const copying = open();
      try {
        return await copyOut(
          copying,
          `reading segment ${segment} of partition ${partition}`,
          async (transaction) => {
            await pin(transaction);
            const [row] = await transaction<[{ source: { query: string } }]>`
              select partition_archiver.reverify_source(${partition}::bigint, ${segment}::integer) as source`;
            return `copy (${row.source.query}) to stdout with (${COPY_OPTIONS})`;
          },
          consume,
        );
      } finally {
        await copying.end({ timeout: 5 });
      }
    },

    record: (partition, segment, { rows, bytes, lineHashSum }) =>
      inTransaction(read, `verdict on segment ${segment} of partition ${partition}`, async (transaction) => {
        await transaction`
          select partition_archiver.record_reverified(${partition}::bigint, ${segment}::integer, ${rows}::bigint,
                   ${bytes}::bigint, ${lineHashSum}::text)`;
      }),

    finish: (partition, manifestVersionId) =>
      inTransaction(read, `verifying partition ${partition} anew`, async (transaction) => {
        await transaction`
          select partition_archiver.finish_reverify(${partition}::bigint, ${manifestVersionId}::text)`;
      }),
  };
}
