import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { ArchiverError } from '../errors.ts';
import type { Manifest } from '../manifest.ts';
import { readText } from '../ports.ts';
import type { SetFacts } from './facts.ts';
import { archiveKey, type StoredArchive, type StoredArchives } from './storage.ts';

/** An archive that is described one by one, by its manifest. */
export interface DescribedArchive {
  readonly stored: StoredArchive;
  /** What is wrong with the manifest, where it cannot be read. An audit says more. */
  readonly problem: string | null;
  readonly manifest: Manifest | null;
  readonly sha256: string;
  readonly versionId: string;
}

/** A set as the page shows it. */
export interface ShownSet {
  readonly facts: SetFacts;
  readonly stored: StoredArchives;
  /** The latest archives, the latest first. */
  readonly described: readonly DescribedArchive[];
  /** The DDL of the latest archive, or the beginning of it. */
  readonly ddl: string;
}

/** Archives that are described: of all sets together, and of one. */
const DESCRIBED = 1000;
const DESCRIBED_OF_SET = 120;
/** Characters of DDL: of all sets together, and of one. */
const DDL = 150_000;
const DDL_OF_SET = 6000;
/** Requests to S3 at the same time. */
const AT_ONCE = 16;

/** Reads the manifests of the latest archives of each set. `sets` have the archives that their ledger names. */
export async function describeSets(
  sets: readonly { readonly facts: SetFacts; readonly stored: StoredArchives }[],
  store: ArchiveStore,
): Promise<ShownSet[]> {
  const share = (all: number, ofSet: number): number =>
    Math.min(ofSet, Math.max(1, Math.floor(all / Math.max(1, sets.length))));
  const most = share(DESCRIBED, DESCRIBED_OF_SET);
  const shown: ShownSet[] = [];
  for (const { facts, stored } of sets) {
    const named = facts.periods.toReversed().flatMap(({ period, archive }) => {
      const found = archive === null ? undefined : stored.get(archiveKey(period, archive));
      return found === undefined ? [] : [found];
    });
    const described = await mapAtOnce(named.slice(0, most), AT_ONCE, (each) => describe(each, store));
    const ddl = await ddlOf(described[0], share(DDL, DDL_OF_SET), store);
    shown.push({ facts, stored, described, ddl });
  }
  return shown;
}

async function describe(stored: StoredArchive, store: ArchiveStore): Promise<DescribedArchive> {
  try {
    const { manifest, sha256, object } = await readManifest(store, stored.manifestKey);
    return { stored, problem: null, manifest, sha256, versionId: object.versionId };
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.retryable) throw error;
    return { stored, problem: `${error.code}: ${error.message}`, manifest: null, sha256: '', versionId: '' };
  }
}

async function ddlOf(
  archive: DescribedArchive | undefined,
  most: number,
  store: ArchiveStore,
): Promise<string> {
  const ddl = archive?.manifest?.ddl;
  if (ddl === undefined) return '';
  try {
    const text = await readText(store, ddl);
    return text.length > most ? `${text.slice(0, most)}\n…` : text;
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
    return error.message;
  }
}
