import { reportDatabase } from '../../adapters/postgres/archive/report.ts';
import { measure } from '../../core/archive/progress.ts';
import { report, type ReportInput } from '../../core/archive/report.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Says what the run did, publishes how the sets stand, and fails the execution if anything failed. */
export const handler = step(
  'report',
  async ({ config: given, ...input }: ReportInput & WithConfig, { settings, connection, clock, log }) => {
    const config = readRuntimeConfig(given);
    const database = reportDatabase(connection);
    const metrics = stepMetrics(settings, clock);
    try {
      return await report(input, { database, metrics, log }, clock.now());
    } finally {
      // After the report, which keeps the run that the numbers count from; and also where it fails the execution.
      await measure(input.request, config, { database, metrics, log });
    }
  },
);
