import { readLedger } from '../adapters/postgres/status.ts';
import { report, type ReportInput } from '../core/report.ts';
import { step } from './runtime/step.ts';

/** Says what the run did, and fails the execution if anything failed. */
export const handler = step('report', (input: ReportInput, { connection, clock, log }) => {
  const database = { rows: (partitions: readonly number[]) => readLedger(connection, partitions) };
  return report(input, { database, log }, clock.now());
});
