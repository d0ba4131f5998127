import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import { checkRange, isWithin, type ArchiveQuery } from './find.ts';
import { manifestKeys } from './manifest-keys.ts';
import { inRandomOrder } from '../random.ts';
import { ARCHIVES_AT_ONCE, type AuditRequest } from './request.ts';

/** Some of the archives of an audit, in the order of their keys. */
export interface ArchivePage {
  /** Keys of their manifests. */
  readonly archives: readonly string[];
  /** Where the next page continues; `null` when there is none. */
  readonly after: string | null;
}

/** Manifests read at the same time to see whether they are of the range. */
const AT_ONCE = 16;

/**
 * The next archives of an audit: as many as can be worked on in one go, so that neither their number nor their size is
 * limited by what travels through a state machine. A sample is one page.
 */
export async function nextArchives(
  { query, archives }: AuditRequest,
  after: string | null,
  { store, random }: { readonly store: ArchiveStore; readonly random: () => number },
): Promise<ArchivePage> {
  checkRange(query);
  if (archives !== null) {
    const all = await Array.fromAsync(manifestKeys(query, store));
    return { archives: await choose(all, archives, query, store, random), after: null };
  }
  let page: string[] = [];
  let last: string | null = null;
  for await (const key of manifestKeys(query, store, after ?? '')) {
    page.push(key);
    last = key;
    if (page.length === ARCHIVES_AT_ONCE) break;
  }
  const more = page.length === ARCHIVES_AT_ONCE;
  if (hasRange(query)) {
    const within = await mapAtOnce(page, AT_ONCE, (key) => isOfRange(key, query, store));
    page = page.filter((_, index) => within[index]);
  }
  return { archives: page, after: more ? last : null };
}

async function choose(
  keys: readonly string[],
  count: number,
  query: ArchiveQuery,
  store: ArchiveStore,
  random: () => number,
): Promise<string[]> {
  const chosen: string[] = [];
  for (const key of inRandomOrder(keys, random)) {
    if (chosen.length === count) break;
    if (!hasRange(query) || (await isOfRange(key, query, store))) chosen.push(key);
  }
  return chosen.sort();
}

const hasRange = ({ from, to }: ArchiveQuery): boolean => from !== undefined || to !== undefined;

/** What cannot be read is not left out: the audit is there to find it. */
async function isOfRange(key: string, query: ArchiveQuery, store: ArchiveStore): Promise<boolean> {
  try {
    return isWithin((await readManifest(store, key)).manifest, query);
  } catch (error) {
    if (error instanceof ArchiverError && !error.retryable) return true;
    throw error;
  }
}
