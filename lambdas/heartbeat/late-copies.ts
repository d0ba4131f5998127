import { lateCopies } from '../../core/query/late-copies.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { archiveStore } from '../runtime/store.ts';

/** Publishes for how long archives have been without a Parquet copy. */
export const handler = bucketStep('late-copies', ({ config }: WithConfig, { settings, clock, log }) =>
  lateCopies(readRuntimeConfig(config), {
    store: archiveStore(settings),
    databases: [settings.databaseName, ...settings.formerNames],
    metrics: stepMetrics(settings, clock),
    clock,
    log,
  }),
);
