import { listingDatabase } from '../../adapters/postgres/query/listing.ts';
import { beginListing } from '../../core/query/listing.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';

/** Names the next archives that the catalogue may show, or must not. */
export const handler = step(
  'begin-listing',
  ({ config, ...event }: Parameters<typeof beginListing>[0] & WithConfig, { connection, clock }) =>
    beginListing(event, {
      database: listingDatabase(connection),
      partitionSets: readRuntimeConfig(config).partitionSets,
      now: clock.now(),
    }),
);
