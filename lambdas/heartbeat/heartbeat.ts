import { heartbeatDatabase } from '../../adapters/postgres/heartbeat/heartbeat.ts';
import { heartbeat, type HeartbeatInput } from '../../core/heartbeat/heartbeat.ts';
import { stepMetrics } from '../runtime/metrics.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Publishes how long ago the deployment and the last successful run, drill and audit were, and how the sets stand. */
export const handler = step(
  'heartbeat',
  ({ config, ...input }: HeartbeatInput & WithConfig, { settings, connection, clock, log }) =>
    heartbeat(
      input,
      readRuntimeConfig(config),
      { database: heartbeatDatabase(connection), metrics: stepMetrics(settings, clock), log },
      clock.now(),
    ),
);
