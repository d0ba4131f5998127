import { pageDatabase } from '../../adapters/postgres/archive/page.ts';
import type { Request } from '../../core/archive/request.ts';
import { fittingFacts } from '../../core/page/facts.ts';
import { PAYLOAD_BUDGET } from '../../core/limits.ts';
import { pack } from '../runtime/packed.ts';
import { step } from '../runtime/step.ts';

/**
 * Reads what the page shows of the ledger, as much as fits into a payload; nothing where even one period of each set does not.
 * It has a login, and cannot write to the bucket; what puts the page can, and has no login. A dry run changes nothing, the
 * page included.
 */
export const handler = step(
  'page-facts',
  async ({ request }: { readonly request: Request }, { connection }): Promise<{ packed: string | null }> => {
    if (request.dryRun) return { packed: null };
    const packed = await fittingFacts(pageDatabase(connection), (facts) => {
      const text = pack(facts);
      return text.length <= PAYLOAD_BUDGET.page ? text : null;
    });
    return { packed };
  },
);
