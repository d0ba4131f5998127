import type { ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import type { Clock } from '../ports.ts';
import { describeSets } from './archives.ts';
import type { PageFacts, SetFacts } from './facts.ts';
import { reportPage } from './page.ts';
import { storedArchives, type StoredArchives } from './storage.ts';

/** A set with what lies of it in the bucket. */
export interface StoredSet {
  readonly facts: SetFacts;
  readonly stored: StoredArchives;
}

/** Sets whose objects are listed at the same time; a listing has a thousand objects a request. */
const AT_ONCE = 8;

/** Lists what the bucket has of each set. */
export function storedSets({ sets }: PageFacts, store: Pick<ArchiveStore, 'versions'>): Promise<StoredSet[]> {
  return mapAtOnce(sets, AT_ONCE, async (facts) => ({
    facts,
    stored: await storedArchives(facts.prefixes, store),
  }));
}

/** The page on what the ledger says and what lies in the bucket. */
export async function makePage(
  facts: PageFacts,
  sets: readonly StoredSet[],
  { store, clock }: { readonly store: ArchiveStore; readonly clock: Clock },
): Promise<string> {
  const { lastAudit, lastDrill } = facts;
  const madeAt = clock.now().toISOString();
  return reportPage({
    madeAt,
    bucket: store.bucket,
    sets: await describeSets(sets, store),
    lastAudit,
    lastDrill,
  });
}
