import { isFolder } from './config/folders.ts';
import { ArchiverError } from './errors.ts';
import { parseManifest, sha256Of, type Manifest } from './manifest.ts';
import { readText, type ObjectStore, type ObjectVersion } from './ports.ts';

/** The archive bucket, as a restore needs it, which has no ledger. */
export interface ArchiveStore extends ObjectStore {
  /** Names of the levels directly below `prefix`, which ends with a slash or is empty; also of those where all is deleted. */
  folders(prefix: string): Promise<readonly string[]>;
  /** All versions and delete markers of the keys that begin with `prefix`; of each key the current one comes first. */
  versions(prefix: string): Promise<readonly StoredVersion[]>;
  /** Whether one version can be read now, or lies in a Glacier tier. `ObjectMissing` if there is none. */
  storage(key: string, versionId: string): Promise<Storage>;
  /** Asks S3 for a readable copy of one version that lies in a Glacier tier. Asking again changes nothing. */
  requestCopy(key: string, versionId: string, copy: CopyRequest): Promise<void>;
}

/** A version of an object, current or not. */
export interface StoredVersion extends ObjectVersion {
  /** A delete marker: what a deletion without a VersionId leaves. What was deleted lies behind it. */
  readonly deleted: boolean;
  /** What a request without a VersionId gets. */
  readonly isLatest: boolean;
  /** As S3 says it: `STANDARD`, `DEEP_ARCHIVE`. */
  readonly storageClass: string;
  /** When it was put. Lifecycle rules count from then, and a transition does not change it. */
  readonly modifiedAt: Date;
}

/** Whether S3 has to restore the objects of a class before they can be read. Glacier Instant Retrieval is none of them. */
export const isCold = (storageClass: string): boolean => /^(GLACIER|DEEP_ARCHIVE)$/.test(storageClass);

/** Where one version lies. */
export interface Storage {
  readonly storageClass: string;
  /** `readable` at once; `archived` in a Glacier tier; `requested` there, and S3 is making a copy. */
  readonly state: 'readable' | 'archived' | 'requested';
}

/** How fast S3 retrieves from Glacier. */
export const TIERS = ['Bulk', 'Standard', 'Expedited'] as const;

/** What S3 is asked for. */
export interface CopyRequest {
  readonly tier: (typeof TIERS)[number];
  /** Days that the copy is kept; S3 Intelligent-Tiering moves the object itself and takes none. */
  readonly days: number | null;
}

/** A manifest as it was read, with the version and the SHA-256 that it was read with. */
export interface StoredManifest {
  readonly manifest: Manifest;
  readonly object: ObjectVersion;
  readonly sha256: string;
}

/** Keys of manifests: `<database>/<schema>/<table>/<period>/manifest/<archive id>.json`. */
const MANIFEST_KEY = /^[^/]+\/([^/]+)\/([^/]+)\/([^/]+)\/manifest\/([0-9a-f-]{36})\.json$/;

/**
 * The archive id of a manifest's key; `undefined` of any other key. Under a schema, table or period that is called like a
 * folder, a role that writes data could have written it.
 */
function archiveIdOf(key: string): string | undefined {
  const [, schema = '', table = '', period = '', archiveId] = MANIFEST_KEY.exec(key) ?? [];
  return [schema, table, period].some(isFolder) ? undefined : archiveId;
}

/**
 * Reads a manifest, given its key. A manifest is written once and never again, so without `versionId` it must be the
 * only version of its key; one that was written over or deleted since is not to be trusted before an operator has looked.
 * Throws `ManifestInvalid` where there is no such manifest or something is wrong with it.
 */
export async function readManifest(
  store: ArchiveStore,
  key: string,
  versionId?: string,
): Promise<StoredManifest> {
  const archiveId = archiveIdOf(key);
  if (archiveId === undefined) {
    throw new ArchiverError(
      'InvalidInput',
      `${JSON.stringify(key)} is not the key of a manifest, which find lists: <database>/<schema>/<table>/<period>/manifest/<archive id>.json`,
    );
  }
  const object =
    versionId === undefined ? await onlyVersion(store, key) : await namedVersion(store, key, versionId);
  const text = await readText(store, object);
  const parsed = parseManifest(text);
  if (!parsed.ok) throw new ArchiverError('ManifestInvalid', `${key}: ${parsed.problem}`);
  if (parsed.manifest.archiveId !== archiveId) {
    throw new ArchiverError(
      'ManifestInvalid',
      `${key} is the manifest of archive ${parsed.manifest.archiveId}`,
    );
  }
  return { manifest: parsed.manifest, object, sha256: sha256Of(text) };
}

async function namedVersion(store: ArchiveStore, key: string, versionId: string): Promise<ObjectVersion> {
  try {
    return await store.head(key, versionId);
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'ObjectMissing') throw error;
    throw new ArchiverError('ManifestInvalid', `there is no version ${versionId} of manifest ${key}`);
  }
}

async function onlyVersion(store: ArchiveStore, key: string): Promise<ObjectVersion> {
  const versions = (await store.versions(key)).filter((version) => version.key === key);
  const [current] = versions;
  if (current === undefined) throw new ArchiverError('ManifestInvalid', `there is no manifest ${key}`);
  if (versions.length > 1 || current.deleted) {
    throw new ArchiverError('ManifestInvalid', `${key} ${whatHappened(current, versions)}`);
  }
  return current;
}

/** What was done to a manifest after it was written, and what there is of it. */
function whatHappened(current: StoredVersion, versions: readonly StoredVersion[]): string {
  const left = versions.filter(({ deleted }) => !deleted).map(({ versionId }) => versionId);
  if (left.length === 0) return 'was deleted for good: nothing but a delete marker is left of it';
  if (left.length > 1) {
    return `was written over after the archive was made: it has ${left.length} versions, the latest first: ${left.join(', ')}`;
  }
  if (!current.deleted) return 'was deleted and written again';
  return `was deleted: version ${left.join()} lies behind the delete marker ${current.versionId}`;
}
