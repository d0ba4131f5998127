import { drillDatabase } from '../adapters/postgres/drill.ts';
import { reportDatabase } from '../adapters/postgres/report.ts';
import { measureDrill } from '../core/drill.ts';
import { measure } from '../core/progress.ts';
import { report, type ReportInput } from '../core/report.ts';
import { embeddedMetrics } from './runtime/metrics.ts';
import { step } from './runtime/step.ts';

/** Says what the run did, publishes how the sets stand, and fails the execution if anything failed. */
export const handler = step(
  'report',
  async (input: ReportInput, { settings, config, connection, clock, log }) => {
    const database = reportDatabase(connection);
    const metrics = embeddedMetrics(
      settings.archiver,
      () => clock.now(),
      (line) => process.stdout.write(`${line}\n`),
    );
    try {
      return await report(input, { database, metrics, log }, clock.now());
    } finally {
      // After the report, which keeps the run that the numbers count from; and also where it fails the execution.
      await measure(input.request, config, { database, metrics, log });
      await measureDrill({ database: drillDatabase(connection), metrics, log });
    }
  },
);
