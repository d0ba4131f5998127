import { databaseProblems } from '../../adapters/postgres/archive/preflight.ts';
import { readingProblems } from '../../adapters/postgres/archive/preflight-verify-endpoint.ts';
import { bucketProblems } from '../../adapters/s3/preflight.ts';
import { readableDays } from '../../core/config/runtime.ts';
import { keyPart } from '../../core/keys.ts';
import { preflight } from '../../core/archive/preflight.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { archiveClient } from '../runtime/store.ts';

/** Checks the input of the execution and everything that it will need, before anything is changed. */
export const handler = step(
  'preflight',
  async (
    { input, execution, ...given }: { input: unknown; execution: string } & WithConfig,
    { settings, connection, open, clock, log },
  ) => {
    const config = readRuntimeConfig(given.config);
    const { archiveBucket, region, databaseName, verifyEndpoint: place } = settings;
    const expected = {
      region,
      prefix: `${keyPart(databaseName)}/`,
      locked: config.objectLock !== undefined,
      expiry: config.expiry,
      readableDays: readableDays(config),
    };
    const database = {
      problems: (sets: typeof config.partitionSets) =>
        databaseProblems(connection, sets, config.acceptedPublications),
    };
    const bucket = { problems: () => bucketProblems(archiveClient(settings), archiveBucket, expected) };
    const reading = place && {
      problems: () => readingProblems(connection, { ...place, open: () => open(place) }, clock),
    };
    const ports = { database, bucket, log, ...(reading && { reading }) };
    const request = await preflight(input, config, ports, clock.now());
    // Travels with the request, so that every line of every step says whose it is.
    return { ...request, execution };
  },
);
