import { partitionTableDatabase } from '../../adapters/postgres/partition-table/database.ts';
import { runCall, type PartitionTableCall } from '../../core/partition-table/call.ts';
import { step } from '../runtime/step.ts';

/** One step of making a partition set out of a plain table: as much of it as its time allows. */
export const handler = step(
  'partition-table',
  (call: PartitionTableCall, { connection, open, clock, log, remainingMs }) =>
    runCall(call, { database: partitionTableDatabase(connection, open), clock, log }, remainingMs),
);
