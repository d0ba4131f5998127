import { leftoverDatabase } from '../../adapters/postgres/query/leftovers.ts';
import { findLeftovers } from '../../core/query/leftovers.ts';
import { step } from '../runtime/step.ts';

/** Names what the Glue database shows and the ledger does not list. */
export const handler = step('find-leftovers', (event: Parameters<typeof findLeftovers>[0], { connection }) =>
  findLeftovers(event, { database: leftoverDatabase(connection) }),
);
