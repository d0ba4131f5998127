import { RDSClient } from '@aws-sdk/client-rds';
import { proxyHealth } from '../../adapters/rds/proxy-target.ts';
import type { StepFailure } from '../../core/archive/record-failure.ts';
import { explainUnavailable } from '../../core/setup/proxy-health.ts';
import { bucketStep } from '../runtime/bucket-step.ts';

const proxyName = process.env['PROXY_NAME'];
const health = proxyName === undefined ? undefined : proxyHealth(new RDSClient({}), proxyName);

/** Fails with why the database could not be reached, and by the health of the proxy's targets where one was made. */
export const handler = bucketStep('explain-unavailable', ({ failure }: { failure: StepFailure }) =>
  explainUnavailable(failure, health),
);
