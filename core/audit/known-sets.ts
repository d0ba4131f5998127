import type { ArchiveStore } from '../archive-store.ts';
import { ArchiverError } from '../errors.ts';
import { keyPart } from '../keys.ts';
import { truncateLines, TEXT_BUDGET } from '../limits.ts';
import { displayName } from '../partition.ts';
import type { ArchiveQuery } from './find.ts';

/** A partition set that has archives. */
export interface SetName {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

/** The partition sets that the bucket has archives of, by its keys alone; of one database, if that is named. */
export async function archivedSets(
  { database }: { readonly database?: string },
  store: Pick<ArchiveStore, 'folders'>,
): Promise<SetName[]> {
  const sets: SetName[] = [];
  const databases = database === undefined ? await store.folders('') : [keyPart(database)];
  for (const one of databases) {
    for (const schema of await store.folders(`${one}/`)) {
      for (const table of await store.folders(`${one}/${schema}/`))
        sets.push({ database: nameOf(one), schema: nameOf(schema), table: nameOf(table) });
    }
  }
  return sets;
}

/** The name that a part of a key stands for. */
const nameOf = (part: string): string =>
  Buffer.from(
    part.replaceAll(/!([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

/** Says that a query found nothing, and of what the bucket has archives. */
export async function noArchiveOf(
  { database, schema, table, from, to }: ArchiveQuery,
  store: Pick<ArchiveStore, 'folders'>,
): Promise<string> {
  const set = schema === undefined || table === undefined ? '' : ` of ${displayName(schema, table)}`;
  const inDatabase = database === undefined ? '' : ` of database ${database}`;
  const hasRange = from !== undefined || to !== undefined;
  const range = hasRange ? ` from ${from ?? 'the beginning'} to ${to ?? 'the end'}` : '';
  return `there is no archive${set}${inDatabase}${range}${await others({ database, schema, table }, store)}`;
}

/** Of what there are archives, for a message. */
export function whatThereIs(sets: readonly SetName[]): string {
  if (sets.length === 0) return 'the bucket has no archive';
  const names = sets.map((set) => `${displayName(set.schema, set.table)} (database ${set.database})`);
  return `there are archives of ${truncateLines(names, TEXT_BUDGET.names).join(', ')}`;
}

/** Of what there are archives, unless the query has that right; a role may list less than all. */
async function others(
  { database, schema, table }: { readonly [Part in keyof SetName]: string | undefined },
  store: Pick<ArchiveStore, 'folders'>,
): Promise<string> {
  try {
    const sets = await archivedSets({}, store);
    const isFound = sets.some(
      (set) =>
        (database ?? set.database) === set.database &&
        (schema ?? set.schema) === set.schema &&
        (table ?? set.table) === set.table,
    );
    return isFound ? '' : `; ${whatThereIs(sets)}`;
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'ObjectStoreDenied') return '';
    throw error;
  }
}
