import { beforeAll } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver, type Archiver } from './archiver.ts';
import { archiveHalf, type HalfState } from './half-archived.ts';
import type { LedgerLine } from './ledger.ts';

/** What became of a row of the ledger that was upgraded. */
export interface Moved {
  readonly id: number;
  readonly was: string;
  readonly remark: string;
  readonly state: string;
  readonly code: string | null;
  readonly blockedState: string | null;
  readonly archiveId: string | null;
  readonly system: string;
  readonly database: string;
  readonly databaseOid: number;
}

interface How {
  readonly forget?: boolean;
  /** The identity that the rows had; without it that of another system, under the name of this database. */
  readonly system?: string;
  readonly name?: string;
  /** Done after the rows were upgraded, in the same transaction. */
  readonly look?: (tx: postgres.TransactionSql) => Promise<void>;
}

/** A set that is half archived, whose rows are upgraded as if from another server; nothing of it stays. */
export interface Moving {
  readonly archiver: () => Archiver;
  readonly half: (state: HalfState) => LedgerLine;
  /** Another system. */
  readonly from: () => string;
  /** This one. */
  readonly system: () => string;
  /** What became of the row in one of the states; `change` is done before the rows are upgraded. */
  readonly movedAfter: (change: string, how?: How) => Promise<(state: HalfState) => Moved | undefined>;
}

/** Gives a test file such a set. */
export function useUpgradedLedger(): Moving {
  const archiver = useArchiver();
  let half: Record<HalfState, LedgerLine>;
  let system = '';
  let from = '';
  beforeAll(async () => {
    half = await archiveHalf(archiver(), 'event');
    const [row] = await archiver().database.sql<[{ system: string; other: string }]>`
      select partition_archiver.system_identifier()::text as system, (partition_archiver.system_identifier() - 1)::text as other`;
    ({ system, other: from } = row);
  });
  return {
    archiver,
    half: (state) => half[state],
    from: () => from,
    system: () => system,
    movedAfter: async (change, how = {}) => {
      const moved = await move(archiver().database, change, {
        forget: false,
        system: from,
        name: archiver().database.name,
        look: () => Promise.resolve(),
        ...how,
      });
      return (state) => moved.find(({ id }) => id === half[state].id);
    },
  };
}

function move(
  { sql }: Archiver['database'],
  change: string,
  { forget, system, name, look }: Required<How>,
): Promise<Moved[]> {
  return sql.begin(async (tx) => {
    await tx`update partition_archiver.partition set system_identifier = ${system}::bigint, database_name = ${name}`;
    await tx.unsafe(change);
    const answers = await tx<Pick<Moved, 'id' | 'was' | 'remark'>[]>`
      select id::integer, was, remark from partition_archiver.upgrade_ledger(${system}::bigint, ${forget}, ${name}::name)`;
    const rows = await tx<Omit<Moved, 'was' | 'remark'>[]>`
      select id::integer, state, blocked_code as code, blocked_state as "blockedState", archive_id as "archiveId",
             system_identifier::text as system, database_name as database, database_oid as "databaseOid"
        from partition_archiver.partition`;
    await look(tx);
    await tx`rollback and chain`;
    return answers.flatMap((answer) =>
      rows.filter(({ id }) => id === answer.id).map((row) => ({ ...answer, ...row })),
    );
  });
}
