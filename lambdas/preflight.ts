import { databaseProblems } from '../adapters/postgres/preflight.ts';
import { bucketProblems } from '../adapters/s3/preflight.ts';
import { preflight } from '../core/preflight.ts';
import { step } from './runtime/step.ts';
import { archiveClient } from './runtime/store.ts';

/** Checks the input of the execution and everything that it will need, before anything is changed. */
export const handler = step(
  'preflight',
  ({ input }: { input: unknown }, { settings, config, connection, clock, log }) => {
    const { archiveBucket, region } = settings;
    const database = { problems: (sets: typeof config.partitionSets) => databaseProblems(connection, sets) };
    const bucket = { problems: () => bucketProblems(archiveClient(settings), archiveBucket, region) };
    return preflight(input, config, { database, bucket, log }, clock.now());
  },
);
