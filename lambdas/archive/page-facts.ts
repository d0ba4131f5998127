import { pageDatabase } from '../../adapters/postgres/archive/page.ts';
import type { Request } from '../../core/archive/request.ts';
import { factsOf, MOST_PERIODS } from '../../core/page/facts.ts';
import { PAYLOAD_BUDGET } from '../../core/limits.ts';
import { pack } from '../runtime/packed.ts';
import { step } from '../runtime/step.ts';

/**
 * Reads what the page shows of the ledger, as much as fits into a payload. It has a login, and cannot write to the bucket; what
 * puts the page can, and has no login. A dry run changes nothing, the page included.
 */
export const handler = step(
  'page-facts',
  async ({ request }: { readonly request: Request }, { connection }): Promise<{ packed: string | null }> => {
    if (request.dryRun) return { packed: null };
    const database = pageDatabase(connection);
    const [rows, checks] = [await database.rows(), await database.lastChecks()];
    for (let most = MOST_PERIODS; ; most = Math.floor(most / 2)) {
      const packed = pack(factsOf(rows, checks, most));
      if (packed.length <= PAYLOAD_BUDGET.page) return { packed };
    }
  },
);
