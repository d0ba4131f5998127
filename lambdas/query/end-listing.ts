import { listingDatabase } from '../../adapters/postgres/query/listing.ts';
import { endListing } from '../../core/query/listing.ts';
import { step } from '../runtime/step.ts';

/** Records that the catalogue shows a page of archives as it should. */
export const handler = step('end-listing', (event: Parameters<typeof endListing>[0], { connection }) =>
  endListing(event, { database: listingDatabase(connection) }),
);
