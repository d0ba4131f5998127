import type { ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import {
  cancelDrill,
  finishDrill,
  selectArchive,
  type DrillDatabase,
  type SuccessfulDrill,
} from './drill.ts';
import { ArchiverError } from '../errors.ts';
import type { LastSuccessMetrics } from '../heartbeat/last-success.ts';
import type { Clock, Log } from '../ports.ts';
import { withConnectionTries } from '../retry.ts';
import { beginRestore, findRestore } from './begin.ts';
import { attach, publish, type Restored } from './publish.ts';
import type { RestoreDatabase } from './database.ts';
import { build, importSegment, importSource } from './import.ts';
import { recordRestoreFailure, reportRestore, type OutcomeDatabase, type RestoreReport } from './report.ts';
import { planRestore } from './plan.ts';
import { proveRange } from './prove.ts';
import { parseRestoreRequest, type ArchiveRef, type RestoreOptions, type Retrieval } from './request.ts';
import { retrieve } from './retrieve.ts';

/** What a restore in this process works with. */
export interface RestorePorts {
  readonly database: RestoreDatabase;
  readonly store: ArchiveStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Segments imported, and ranges read, at the same time; each uses a connection. */
  readonly segmentsAtOnce: number;
}

/**
 * Restores one archive in this process, in the order of the state machine *Restore*: what the local command does, where
 * there is no Step Functions. Running it again resumes a restore that was interrupted.
 */
export async function restore(input: unknown, ports: RestorePorts): Promise<Restored> {
  const { archives, options } = parseRestoreRequest(input);
  if (!('manifestKey' in archives)) {
    throw new ArchiverError('InvalidInput', 'manifestKey: is missing');
  }
  return restoreArchive(archives, options, ports);
}

/** The same for one archive of a plan. */
async function restoreArchive(
  archive: ArchiveRef,
  options: RestoreOptions,
  ports: RestorePorts,
): Promise<Restored> {
  const found = await findRestore(archive, options, ports);
  if (found.next === 'attach') return attached(found.partitionId, options, ports);
  await untilReadable(archive, found.segments, options.retrieval, ports);
  const begun = await beginRestore(archive, options, ports);
  if (begun.next === 'attach') return attached(begun.partitionId, options, ports);
  await load(begun.restoreId, begun.segments, ports);
  const { partitionId } = await publish(begun.restoreId, ports);
  return attached(partitionId, options, ports);
}

/** Waits for what the server still does for an earlier call. */
async function attached(
  partitionId: number,
  options: RestoreOptions,
  ports: RestorePorts,
): Promise<Restored> {
  const request = { ...options, waits: true };
  let progress = await attach(partitionId, request, ports);
  while (progress.next === 'wait') {
    await ports.clock.sleep(progress.waitSeconds * 1_000);
    progress = await attach(partitionId, request, ports);
  }
  return progress.restored;
}

/** Waits for S3 to make what lies in a Glacier tier readable. */
async function untilReadable(
  archive: ArchiveRef,
  segments: readonly number[] | null,
  retrieval: Retrieval,
  ports: Pick<RestorePorts, 'store' | 'clock' | 'log'>,
): Promise<void> {
  for (;;) {
    const { readable, waitSeconds } = await retrieve(archive, segments, retrieval, ports);
    if (readable) return;
    await ports.clock.sleep(waitSeconds * 1_000);
  }
}

/** From the bare table to the last range of its proof. */
async function load(restoreId: number, segments: readonly number[], ports: RestorePorts): Promise<void> {
  const { store, segmentsAtOnce, clock } = ports;
  const from = importSource(store, true);
  await mapAtOnce(segments, segmentsAtOnce, (segmentNumber) =>
    importSegment(restoreId, segmentNumber, from, ports),
  );
  let progress = await build(restoreId, ports);
  while (progress.next !== 'prove') {
    await clock.sleep(progress.waitSeconds * 1_000);
    progress = await build(restoreId, ports);
  }
  await mapAtOnce(progress.ranges, segmentsAtOnce, (range) => proveRange(restoreId, range, ports));
}

/** What an execution in this process has besides. */
export interface RestoreRunPorts extends RestorePorts {
  readonly outcomes: OutcomeDatabase;
  /** Database whose archives are meant where the input names none. */
  readonly databaseName: string;
  /** Archives restored at the same time. */
  readonly archivesAtOnce: number;
  /** Names the execution in `partition_archiver.restore_outcome`. */
  readonly execution: string;
}

/**
 * Restores every archive that the input asks for, and reports. One that fails does not stop the others; the whole then
 * ends as `PartitionsFailed`, and running it again continues with what is left.
 */
export async function restoreAll(input: unknown, ports: RestoreRunPorts): Promise<RestoreReport> {
  const { store, log, outcomes, execution, clock } = ports;
  const plan = await planRestore(input, { store, log, database: ports.databaseName });
  await mapAtOnce(plan.archives, ports.archivesAtOnce, async (archive) => {
    const { manifestKey } = archive;
    try {
      const restored = await restoreArchive(archive, plan.options, ports);
      await withConnectionTries(clock, () => outcomes.record(execution, manifestKey, restored));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const failure = { Error: error.name, Cause: error.message };
      // Where not even that is possible, the report finds it unfinished; the others continue.
      await withConnectionTries(clock, () =>
        recordRestoreFailure(execution, manifestKey, failure, { database: outcomes, log }),
      ).catch(() => undefined);
    }
  });
  return reportRestore({ plan: { ...plan, execution } }, { database: outcomes, log });
}

/** What a drill in this process has besides. */
export interface DrillPorts extends RestorePorts {
  readonly database: RestoreDatabase & DrillDatabase;
  readonly metrics: LastSuccessMetrics;
  readonly databaseName: string;
  readonly random: () => number;
  /** Names the drill among others that are under way. */
  readonly execution: string;
}

/** A drill in this process, in the order of the state machine *Drill*; `null` where there is no archive yet. */
export async function drill(input: unknown, ports: DrillPorts): Promise<SuccessfulDrill | null> {
  const { archive, retrieval } = await selectArchive(input, { ...ports, database: ports.databaseName });
  if (archive === null) return null;
  let restoreId: number | null = null;
  try {
    await untilReadable(archive, null, retrieval, ports);
    const begun = await beginRestore(archive, { drill: ports.execution }, ports);
    if (begun.next === 'attach') throw new ArchiverError('StateConflict', 'a drill is never published');
    ({ restoreId } = begun);
    await load(restoreId, begun.segments, ports);
    return await finishDrill(restoreId, ports);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return cancelDrill({ archive, restoreId, failure: { Error: error.name, Cause: error.message } }, ports);
  }
}
