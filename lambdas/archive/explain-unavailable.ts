import { RDSClient } from '@aws-sdk/client-rds';
import { proxyHealth } from '../../adapters/rds/proxy-target.ts';
import type { StepFailure } from '../../core/archive/record-failure.ts';
import { explainUnavailable } from '../../core/setup/proxy-health.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

const client = new RDSClient({});

/** Fails with why the database could not be reached, by the health of the proxy's targets. */
export const handler = bucketStep('explain-unavailable', ({ failure }: { failure: StepFailure }) =>
  explainUnavailable(failure, proxyHealth(client, process.env['PROXY_NAME'] ?? '')),
);
