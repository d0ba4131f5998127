import type { Connection } from '../../adapters/postgres/connect.ts';
import { partitionTableDatabase } from '../../adapters/postgres/partition-table/database.ts';
import { partitionTable, type PartitionTableOutcome } from '../../core/partition-table/local.ts';
import type { PartitionTableDatabase, PartitionTablePlan } from '../../core/partition-table/database.ts';
import type { PartitionTablePorts, Progress } from '../../core/partition-table/steps.ts';
import { silentLog as log } from '../../core/ports.ts';
import { asAdministrator } from './administrator.ts';
import { hurriedClock, type Archiver } from './archiver.ts';

const PLAN: Omit<PartitionTablePlan, 'table'> = {
  schema: 'shop',
  control: 'at',
  interval: '1 month',
  premake: 4,
  retention: '2 months',
  mode: 'online',
  keys: 'extend',
  defaultPartition: true,
  epoch: 'none',
  timeZone: 'UTC',
};

/** Some calls of the real database, replaced; `connection` is the one that it works with. */
type Changes = (real: PartitionTableDatabase, connection: Connection) => Partial<PartitionTableDatabase>;

/** Makes partition sets of tables in schema shop, as an administrator would. */
export interface Partitioner {
  withPorts<T>(work: (ports: PartitionTablePorts) => Promise<T>, changes?: Changes): Promise<T>;
  run(
    plan: Partial<PartitionTablePlan> & { readonly table: string },
    changes?: Changes,
    upTo?: Progress['upTo'],
  ): Promise<PartitionTableOutcome>;
  /** Has a statement executed after the comparison, before the tables change places. */
  beforeSwap(statement: string): Changes;
}

/** A partitioner for the database of a test file. */
export function makePartitioner(archiver: () => Archiver): Partitioner {
  const open = (): Connection => asAdministrator(archiver().database.name);
  const withPorts: Partitioner['withPorts'] = async (work, changes = () => ({})) => {
    const connection = open();
    const real = partitionTableDatabase(connection, open);
    try {
      return await work({ database: { ...real, ...changes(real, connection) }, clock: hurriedClock, log });
    } finally {
      // A client whose transaction lost its connection would wait for ever.
      await connection.end({ timeout: 1 });
    }
  };
  return {
    withPorts,
    run: (plan, changes, upTo) =>
      withPorts((ports) => partitionTable({ ...PLAN, ...plan }, ports, upTo), changes),
    beforeSwap: (statement) => (real) => ({
      swap: async (job, most) => {
        await archiver().database.sql.unsafe(statement);
        await real.swap(job, most);
      },
    }),
  };
}
