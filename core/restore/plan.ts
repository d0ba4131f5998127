import { counted } from '../counted.ts';
import { readManifest, type ArchiveStore } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { find, type FindResult, type FoundArchive } from '../audit/find.ts';
import { noArchiveOf } from '../audit/known-sets.ts';
import { truncate, truncateLines, PAYLOAD_BUDGET, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { Log } from '../ports.ts';
import { parseRestoreRequest, type ArchiveRange, type ArchiveRef, type RestoreOptions } from './request.ts';

/** An archive that is to be restored, by the very version of its manifest. */
export type PlannedArchive = ArchiveRef & { readonly manifestVersionId: string };

/** What an execution of *Restore* works on. */
export interface RestorePlan {
  readonly archives: readonly PlannedArchive[];
  readonly options: RestoreOptions;
}

/**
 * Reads the input of a restore and finds its archives, by their manifests alone. Throws `InvalidInput` with every
 * mistake at once, or where there is no archive, several of one period, or too many for one execution; and
 * `ManifestInvalid` where a manifest of the set cannot be trusted, since what it stands for may be in the range.
 */
export async function planRestore(
  input: unknown,
  { store, database, log }: { readonly store: ArchiveStore; readonly database: string; readonly log: Log },
): Promise<RestorePlan> {
  const { archives, options } = parseRestoreRequest(input);
  const found =
    'manifestKey' in archives
      ? [await findOne(archives, store)]
      : await findRange(archives, archives.database ?? database, options, store);
  log.info('plan-restore', { archives: found.length });
  return { archives: found, options };
}

async function findOne(
  { manifestKey, manifestVersionId }: ArchiveRef,
  store: ArchiveStore,
): Promise<PlannedArchive> {
  const { object } = await readManifest(store, manifestKey, manifestVersionId ?? undefined);
  return { manifestKey, manifestVersionId: object.versionId };
}

async function findRange(
  { set, from, to }: ArchiveRange,
  database: string,
  options: RestoreOptions,
  store: ArchiveStore,
): Promise<PlannedArchive[]> {
  const range = { ...(from !== null && { from }), ...(to !== null && { to }) };
  const { archives, overlapping, unreadable } = await find({ database, ...set, ...range }, { store });
  if (unreadable.length > 0) {
    const lines = unreadable.map(({ problem }) => problem);
    throw new ArchiverError(
      'ManifestInvalid',
      `what these stand for may be in the range; restore the others by their manifestKey: ${truncateLines(lines, TEXT_BUDGET.details).join('; ')}`,
    );
  }
  const what = `${displayName(set.schema, set.table)} of database ${database}`;
  if (archives.length === 0) {
    throw new ArchiverError('InvalidInput', await noArchiveOf({ database, ...set, ...range }, store));
  }
  if (options.table !== null && archives.length > 1) {
    throw new ArchiverError(
      'InvalidInput',
      `table: ${JSON.stringify(options.table)} can be the name of one table, and there are ${counted(archives.length, 'archive')} of ${what} in the range`,
    );
  }
  refuseOverlaps(overlapping);
  const planned = archives.map(({ manifestKey, versionId }) => ({
    manifestKey,
    manifestVersionId: versionId,
  }));
  const room = truncate(planned, PAYLOAD_BUDGET.archives).length;
  if (room < planned.length) {
    throw new ArchiverError(
      'InvalidInput',
      `there are ${counted(planned.length, 'archive')} of ${what} in the range, and ${room} fit into one execution: narrow from and to`,
    );
  }
  return planned;
}

/**
 * Archives whose bounds overlap are the same rows twice (released and archived again; another server's database of that name),
 * or rows in two parts (late ones came after the drop). Which it is, a person has to say.
 */
function refuseOverlaps(groups: FindResult['overlapping']): void {
  if (groups.length === 0) return;
  const line = ({ manifestKey, rows, archivedAt, systemIdentifier }: FoundArchive): string =>
    `${manifestKey} (${counted(rows, 'row')}, archived ${archivedAt} on the system ${systemIdentifier})`;
  const lines = groups.map((each) => each.map(line).join(' and '));
  throw new ArchiverError(
    'InvalidInput',
    `of one period there is more than one archive; restore each that you want by its manifestKey, under a table of its own, and the others by ranges beside it: ${truncateLines(lines, TEXT_BUDGET.details).join('; ')}`,
  );
}
