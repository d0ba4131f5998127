import { failureDatabase } from '../../adapters/postgres/archive/record-failure.ts';
import { recordFailure, type StepFailure } from '../../core/archive/record-failure.ts';
import { step } from '../runtime/step.ts';

/** Records in the ledger why a partition could not be archived, and blocks it where an operator has to look. */
export const handler = step(
  'record-failure',
  ({ partitionId, failure }: { partitionId: number; failure: StepFailure }, { connection, log }) =>
    recordFailure(partitionId, failure, { database: failureDatabase(connection), log }),
);
