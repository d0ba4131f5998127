import type { ArchiveStore } from '../archive-store.ts';
import { mapAtOnce } from '../concurrency.ts';
import { keyPart } from '../keys.ts';

/** Requests to S3 at the same time. */
const AT_ONCE = 16;

/** Which part of the bucket is looked through. What is left out is not narrowed. */
export interface ArchiveScope {
  readonly database?: string;
  /** Schema and name of the partitioned parent. */
  readonly schema?: string;
  readonly table?: string;
}

/**
 * Keys of the manifests, in order, level by level, so that no data object has to be listed. Those that were deleted are
 * among them, whose archives are still there: the reader is told.
 *
 * @param after only keys behind this one: where an earlier call left off
 */
export async function* manifestKeys(
  { database, schema, table }: ArchiveScope,
  store: ArchiveStore,
  after = '',
): AsyncGenerator<string> {
  yield* below('', [database, schema, table], store, after);
}

async function* below(
  prefix: string,
  [name, ...deeper]: readonly (string | undefined)[],
  store: ArchiveStore,
  after: string,
): AsyncGenerator<string> {
  const folders = name === undefined ? await foldersIn(prefix, store, after) : [`${prefix}${keyPart(name)}/`];
  for (const folder of folders) {
    if (deeper.length > 0) yield* below(folder, deeper, store, after);
    else yield* ofTable(folder, store, after);
  }
}

/** Of one table: the periods side by side, a few at a time, since the caller may stop early. */
async function* ofTable(prefix: string, store: ArchiveStore, after: string): AsyncGenerator<string> {
  const periods = await foldersIn(prefix, store, after);
  for (let start = 0; start < periods.length; start += AT_ONCE) {
    const some = periods.slice(start, start + AT_ONCE);
    const listed = await mapAtOnce(some, AT_ONCE, (period) => store.versions(`${period}manifest/`));
    yield* listed.flatMap((versions) =>
      [...new Set(versions.map(({ key }) => key))].filter((key) => key > after).sort(),
    );
  }
}

/** Folders with their slash, in the order in which their keys come; without those whose keys all lie before `after`. */
async function foldersIn(prefix: string, store: ArchiveStore, after: string): Promise<string[]> {
  const folders = (await store.folders(prefix)).map((name) => `${prefix}${name}/`);
  return folders.filter((folder) => folder > after || after.startsWith(folder)).sort();
}
