import { mapAtOnce } from '../concurrency.ts';
import type { RuntimeConfig } from '../config/runtime.ts';
import type { PartitionSetConfig } from '../config/partition-set.ts';
import { ddlFile } from '../ddl-file.ts';
import { ArchiverError } from '../errors.ts';
import { inOneLine } from '../in-one-line.ts';
import { ddlKey, manifestKey, type ArchiveLocation } from '../keys.ts';
import { truncateLines } from '../limits.ts';
import {
  formatOf,
  parseManifest,
  PRODUCT,
  sameArchive,
  serializeManifest,
  sha256Of,
  type Manifest,
} from '../manifest.ts';
import { COPY_OPTIONS, PINS } from '../pins.ts';
import { readText, type Clock, type Log, type ObjectStore, type ObjectVersion } from '../ports.ts';
import { findSet, nextStep, type NextStep, type PartitionStatus } from './quarantine.ts';
import type { Request } from './request.ts';
import { addLineHashSums } from '../proof/line-digest.ts';

/** Bytes of the objects in a message. */
const LONGEST_LIST = 3_000;

/** Objects that are tagged or locked at the same time. */
const OBJECTS_AT_ONCE = 16;

/** Everything that the database knows of an archive that is about to be committed. */
export interface Evidence {
  readonly location: ArchiveLocation;
  readonly source: Manifest['source'];
  readonly partition: Manifest['partition'];
  readonly columns: string;
  readonly segments: Manifest['segments'];
  /** The archived DDL as a template, and as statements for the original name. */
  readonly ddl: { readonly template: Record<string, unknown>; readonly statements: readonly string[] };
  readonly quarantinedAt: string;
  readonly exportedAt: string;
}

/** What became of some rows on trial; of others it says nothing. */
export interface RowTrial {
  /** Rows that were tried. */
  readonly rows: number;
  /** Objects that a restore would lack. */
  readonly failed: readonly { readonly object: string; readonly code: string; readonly reason: string }[];
  /** Objects that call volatile functions, which are not called on trial. */
  readonly notTried: readonly string[];
}

/** The database, as `commit` needs it. */
export interface CommitDatabase {
  status(partitionId: number): Promise<PartitionStatus>;
  /**
   * Checks the seal, that all segments are verified, and that the archived DDL recreates the table; then returns what the
   * manifest is made of.
   */
  evidence(partitionId: number): Promise<Evidence>;
  /**
   * Counts the rows of the table as a whole: `SealBroken` where those of the segments do not add up to as many. `false`
   * where that took too long; then the constraints on the plan and the seal carry the proof that the segments cover the
   * table.
   */
  countWhole(partitionId: number, archiveId: string): Promise<boolean>;
  /**
   * Inserts some of the rows into a table that the archived DDL makes, with the rights that a restore has, in a transaction
   * that is rolled back; `null` where that took too long, which says nothing.
   */
  tryRows(partitionId: number): Promise<RowTrial | null>;
  commit(
    partitionId: number,
    archive: { readonly manifest: Manifest; readonly object: ObjectVersion; readonly sha256: string },
    graceDays: number | null,
  ): Promise<void>;
  /** Schedules the drop of a verified partition for the end of its grace period. */
  scheduleDrop(partitionId: number, graceDays: number): Promise<void>;
}

/**
 * Writes DDL and manifest, reads the manifest back, and records it: the commit point of an archive. Where segments are
 * still open (one was split), it returns that they are to be exported instead.
 */
export async function commit(
  partitionId: number,
  request: Request,
  config: RuntimeConfig,
  ports: {
    readonly database: CommitDatabase;
    readonly store: ObjectStore;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<NextStep> {
  const { database, store, clock, log } = ports;
  const status = await database.status(partitionId);
  const set = findSet(status, config);
  if (status.state === 'exported' && status.openSegments.length === 0) {
    const evidence = await database.evidence(partitionId);
    judgeTrial(partitionId, await database.tryRows(partitionId), set, log);
    const inTime = await database.countWhole(partitionId, evidence.location.archiveId);
    const data = evidence.segments.flatMap(({ objects }) => objects);
    await mapAtOnce(data, OBJECTS_AT_ONCE, ({ key, versionId }) => store.markProven(key, versionId));
    const ddl = await storeDdl(evidence, store);
    const manifest = makeManifest(evidence, { countedWhole: inTime, ddl, now: clock.now() });
    const archive = await storeManifest(manifest, evidence.location, store);
    if (config.objectLock !== undefined) {
      const lock = { mode: config.objectLock.mode, until: lockedUntil(clock.now(), config.objectLock.days) };
      await mapAtOnce([...data, ddl, archive.object], OBJECTS_AT_ONCE, ({ key, versionId }) =>
        store.protect(key, versionId, lock),
      );
    }
    await database.commit(partitionId, archive, set.drop ? set.graceDays : null);
    const { rows, countedWhole } = archive.manifest.contents;
    log.info('commit', { partitionId, manifest: archive.object.key, rows, countedWhole });
  } else if (status.state === 'verified' && set.drop && status.due === null) {
    await database.scheduleDrop(partitionId, set.graceDays);
  }
  return nextStep(await database.status(partitionId), set, request);
}

/** What a restore would lack keeps the table, unless the configuration accepts it: `RestoreIncomplete`. */
function judgeTrial(partitionId: number, trial: RowTrial | null, set: PartitionSetConfig, log: Log): void {
  if (trial === null) {
    log.warn('trial of rows', { partitionId, problem: 'it took too long, and says nothing' });
    return;
  }
  const { rows, failed, notTried } = trial;
  log.info('trial of rows', { partitionId, rows, failed: failed.length, notTried });
  if (failed.length === 0) return;
  if (set.acceptIncompleteRestore) {
    log.warn('trial of rows', { partitionId, failed });
    return;
  }
  const lines = failed.map(({ object, reason }) => `${object}: ${reason}`);
  throw new ArchiverError(
    'RestoreIncomplete',
    `tried with ${rows} of its rows, a restore lacks ${inOneLine(truncateLines(lines, LONGEST_LIST))}`,
  );
}

/** At the end of a day, so that a second try does not ask for less than the first one got, which S3 refuses. */
function lockedUntil(now: Date, days: number): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days + 1));
}

async function storeDdl(evidence: Evidence, store: ObjectStore): Promise<Manifest['ddl']> {
  const key = ddlKey(evidence.location, evidence.partition.name);
  const { schema, name } = evidence.partition;
  const body = ddlFile({ archiveId: evidence.location.archiveId, schema, name }, evidence.ddl.statements);
  const object = await createOnce(key, body, 'application/sql', store, (stored) => stored === body);
  return {
    key,
    versionId: object.versionId,
    bytes: object.bytes,
    sha256: sha256Of(body),
    template: evidence.ddl.template,
  };
}

async function storeManifest(
  manifest: Manifest,
  location: ArchiveLocation,
  store: ObjectStore,
): Promise<{ manifest: Manifest; object: ObjectVersion; sha256: string }> {
  const key = manifestKey(location);
  let body = serializeManifest(manifest);
  let recorded = manifest;
  // The one of an earlier try whose answer was lost says the same of the archive; then it is the one.
  const object = await createOnce(key, body, 'application/json', store, (stored) => {
    const parsed = parseManifest(stored);
    if (!parsed.ok || !sameArchive(parsed.manifest, manifest)) return false;
    body = stored;
    recorded = parsed.manifest;
    return true;
  });
  const stored = await readText(store, object);
  if (stored !== body) {
    throw new ArchiverError('ManifestConflict', `${key} reads back other than it was written`);
  }
  return { manifest: recorded, object, sha256: sha256Of(stored) };
}

async function createOnce(
  key: string,
  body: string,
  contentType: string,
  store: ObjectStore,
  isSame: (stored: string) => boolean,
): Promise<ObjectVersion> {
  const find = async (): Promise<ObjectVersion | undefined> =>
    (await store.list(key)).find((candidate) => candidate.key === key);
  let object = await find();
  if (object === undefined) {
    // The look before is for servers that know no precondition where there are versions (Ceph 16): they would put a
    // second version on top of the one of an earlier try.
    const created = await store.create(key, body, contentType);
    if (created !== 'exists') return created;
    object = await find();
  }
  if (object === undefined)
    throw new ArchiverError('ObjectMissing', `${key} was there a moment ago and is gone`);
  if (isSame(await readText(store, object))) return object;
  throw new ArchiverError('ManifestConflict', `${key} exists already, with other contents`);
}

function makeManifest(
  evidence: Evidence,
  { countedWhole, ddl, now }: { countedWhole: boolean; ddl: Manifest['ddl']; now: Date },
): Manifest {
  const { segments } = evidence;
  return {
    format: formatOf(segments),
    archiveId: evidence.location.archiveId,
    product: PRODUCT,
    source: evidence.source,
    partition: evidence.partition,
    copy: { options: COPY_OPTIONS, columns: evidence.columns, pins: { ...PINS } },
    contents: {
      rows: segments.reduce((sum, { rows }) => sum + rows, 0),
      bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      lineHash: 'sum64-xxh64',
      lineHashSum: addLineHashSums(segments.map(({ lineHashSum }) => lineHashSum)),
      countedWhole,
    },
    segments,
    ddl,
    times: {
      quarantinedAt: evidence.quarantinedAt,
      exportedAt: evidence.exportedAt,
      committedAt: now.toISOString(),
    },
  };
}
