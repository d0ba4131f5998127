import { counted } from '../counted.ts';
import { mapAtOnce } from '../concurrency.ts';
import type { Expiry } from '../config/runtime.ts';
import { ArchiverError } from '../errors.ts';
import { DAY_MS, expiresAt } from '../expiry.ts';
import { objectsOf, parseManifest, sha256Of, type Manifest } from '../manifest.ts';
import { readText, type Clock, type Log, type ObjectStore, type ObjectVersion } from '../ports.ts';
import { withLockTries } from '../retry.ts';

/** Lifecycle rules run at midnight, and need some hours. */
const NEARLY_MS = 2 * DAY_MS;

/** Objects looked up in S3 at the same time. */
const LOOK_UPS = 16;

/** What the ledger says of a partition that is due. */
export interface DropEvidence {
  readonly archiveId: string;
  readonly manifestKey: string;
  readonly manifestVersionId: string;
  readonly manifestSha256: string;
  readonly rows: number;
}

/** The database, as `drop` needs it. */
export interface DropDatabase {
  /** `NotDue` unless the partition is verified and its grace period over. */
  evidence(partitionId: number): Promise<DropEvidence>;
  /**
   * Drops the table if, under its lock, it is still what was verified, and records it in the same transaction. Returns
   * the name it had.
   */
  dropVerified(partitionId: number, archive: VerifiedArchive): Promise<string>;
  /** Whether this partition was dropped: for a commit whose answer was lost. */
  isDropped(partitionId: number): Promise<boolean>;
}

declare const looked: unique symbol;

/** A manifest that the ledger was verified with and all of whose objects are there. Only `lookUp` makes one. */
export interface VerifiedArchive {
  readonly [looked]: true;
  readonly manifestVersionId: string;
}

/**
 * Looks every object of the archive up in S3, whose current version must be the one that was proven: another one, or a
 * delete marker, stands in the way of a restore, and lifecycle rules may delete what lies below it. Then drops the table.
 * Throws `ArchiveExpired` where the archive is past the configured expiry, or nearly: its objects may still be there, but not
 * for long.
 */
export async function drop(
  partitionId: number,
  expiry: Expiry | undefined,
  ports: {
    readonly database: DropDatabase;
    readonly store: ObjectStore;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<{ readonly dropped: true }> {
  const { database, store, clock, log } = ports;
  if (await database.isDropped(partitionId)) return { dropped: true };
  const evidence = await database.evidence(partitionId);
  const archive = await lookUp(evidence, expiry, { store, clock });
  const table = await withLockTries(clock, () => database.dropVerified(partitionId, archive));
  log.info('drop', { partitionId, table, rows: evidence.rows, manifest: evidence.manifestKey });
  return { dropped: true };
}

async function lookUp(
  evidence: DropEvidence,
  expiry: Expiry | undefined,
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
): Promise<VerifiedArchive> {
  const manifest = await readManifest(evidence, store);
  refuseExpired(manifest, evidence.manifestKey, expiry, clock.now());
  if (manifest.archiveId !== evidence.archiveId || manifest.contents.rows !== evidence.rows) {
    throw new ArchiverError('ManifestConflict', `${evidence.manifestKey} belongs to another archive`);
  }
  await mapAtOnce(objectsOf(manifest), LOOK_UPS, (object) => assertCurrent(object, store));
  return { manifestVersionId: evidence.manifestVersionId } as VerifiedArchive;
}

/** Of another length it was never: but the look costs nothing. */
async function assertCurrent({ key, versionId, bytes }: ObjectVersion, store: ObjectStore): Promise<void> {
  const found = await store.current(key);
  if (found.versionId !== versionId) {
    throw new ArchiverError(
      'ObjectMissing',
      `${key} was written over: version ${versionId} is not the current one`,
    );
  }
  if (found.bytes !== bytes) {
    throw new ArchiverError(
      'ObjectMissing',
      `version ${versionId} of ${key} has ${counted(found.bytes, 'byte')}, not ${String(bytes)}`,
    );
  }
}

function refuseExpired(manifest: Manifest, key: string, expiry: Expiry | undefined, now: Date): void {
  if (expiry === undefined) return;
  if (now.getTime() + NEARLY_MS < expiresAt(manifest, expiry)) return;
  throw new ArchiverError(
    'ArchiveExpired',
    `the archive of ${key} expires ${counted(expiry.days, 'day')} after its export, which began after ${manifest.times.quarantinedAt}`,
  );
}

async function readManifest(evidence: DropEvidence, store: ObjectStore): Promise<Manifest> {
  const { manifestKey: key, manifestVersionId: versionId } = evidence;
  const text = await readText(store, { key, versionId });
  await assertCurrent({ key, versionId, bytes: Buffer.byteLength(text) }, store);
  if (sha256Of(text) !== evidence.manifestSha256) {
    throw new ArchiverError('ManifestConflict', `${key} is not the manifest that was recorded`);
  }
  const parsed = parseManifest(text);
  if (!parsed.ok) throw new ArchiverError('ManifestConflict', `${key}: ${parsed.problem}`);
  return parsed.manifest;
}
