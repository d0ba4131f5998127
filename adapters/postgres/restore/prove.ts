import type { Manifest } from '../../../core/manifest.ts';
import type { ProofVerdict, RestoreDatabase } from '../../../core/restore/database.ts';
import type { Transaction } from '../connect.ts';
import { copyOut } from '../copy.ts';
import { quoteIdentifier } from '../quote.ts';
import { set, WORK_SCHEMA, type RestoreConnections, type Sessions } from './sessions.ts';

/** What `partition_archiver.begin_restore_range` returns. */
interface BegunRange {
  readonly table: string;
  readonly copy: Manifest['copy'];
  readonly firstBlock: number;
  readonly nextBlock: number | null;
}

/** For a range that is read already. */
const NOTHING = 'copy (select 1 where false) to stdout';

/** The proof of a restore. */
export function proveOn(
  { using, transaction }: Sessions,
  { timeoutMs }: RestoreConnections,
): Pick<RestoreDatabase, 'planProof' | 'readRange' | 'recordRange' | 'prove'> {
  return {
    planProof: (restoreId) =>
      transaction('planning the proof', async (tx) => {
        const [row] = await tx<[{ ranges: number[] }]>`
          select partition_archiver.plan_restore_proof(${restoreId}::bigint) as ranges`;
        return row.ranges;
      }),

    readRange: (restoreId, range, read) =>
      using(async (connection) => {
        let isOpen = false;
        const answer = await copyOut(
          connection,
          `reading range ${range} of the restored table`,
          async (tx) => {
            const begun = await beginRange(tx, restoreId, range);
            if (begun === null) return NOTHING;
            isOpen = true;
            await set(tx, { ...begun.copy.pins, statement_timeout: String(timeoutMs) });
            return `copy (${queryOf(begun)}) to stdout with (${begun.copy.options})`;
          },
          async (rows) => ({ isOpen, digest: await read(rows) }),
        );
        return answer.isOpen ? answer.digest : null;
      }),

    recordRange: (restoreId, range, { rows, bytes, lineHashSum }) =>
      transaction(`range ${range} of the proof`, async (tx) => {
        await tx`
          select partition_archiver.record_restore_range(${restoreId}::bigint, ${range}::integer, ${rows}::bigint,
                   ${bytes}::bigint, ${lineHashSum}::text)`;
      }),

    prove: (restoreId) =>
      transaction('adding the proof up', async (tx) => {
        const [row] = await tx<[{ verdict: ProofVerdict }]>`
          select partition_archiver.prove_restore(${restoreId}::bigint) as verdict`;
        return row.verdict;
      }),
  };
}

async function beginRange(tx: Transaction, restoreId: number, range: number): Promise<BegunRange | null> {
  const [row] = await tx<[{ begun: BegunRange | null }]>`
    select partition_archiver.begin_restore_range(${restoreId}::bigint, ${range}::integer) as begun`;
  return row.begun;
}

function queryOf({ table, copy, firstBlock, nextBlock }: BegunRange): string {
  const upper = nextBlock === null ? '' : ` and ctid < '(${nextBlock},0)'::tid`;
  return `select ${copy.columns} from only ${WORK_SCHEMA}.${quoteIdentifier(table)} where ctid >= '(${firstBlock},0)'::tid${upper}`;
}
