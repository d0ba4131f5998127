import * as z from 'zod';
import { ArchiverError } from '../errors.ts';
import type { Manifest } from '../manifest.ts';
import type { SourceColumn } from './parquet-map.ts';

const columnsSchema = z.array(
  z.object({ name: z.string(), type: z.string(), generated: z.string().default('') }),
);

/**
 * The columns of an archive's text, with their types: the select list of the export says which, in which order, and the
 * archived DDL says of what type. Throws `CopyRefused` unless both agree.
 */
export function sourceColumns({ copy, ddl, partition }: Manifest): SourceColumn[] {
  const parsed = columnsSchema.safeParse(ddl.template['columns']);
  const types = new Map(
    parsed.data?.filter(({ generated }) => generated === '').map((each) => [each.name, each.type]),
  );
  const columns = namesIn(copy.columns).map((name) => ({ name, type: types.get(name) ?? '' }));
  if (columns.some(({ type }) => type === '') || columns.length !== types.size) {
    const what = `columns of ${partition.schema}.${partition.name}`;
    throw new ArchiverError('CopyRefused', `the manifest and the archived DDL do not agree on the ${what}`);
  }
  return columns;
}

/** The names in a list of identifiers, quoted where they have to be. */
function namesIn(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")+)"|[^\s",]+/g)].map(
    ([plain, quoted]) => quoted?.replaceAll('""', '"') ?? plain,
  );
}
