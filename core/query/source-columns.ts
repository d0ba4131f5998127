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
export function sourceColumns(manifest: Manifest): SourceColumn[] {
  const { copy, partition } = manifest;
  const types = new Map(columnsIn(manifest).map(({ name, type }) => [name, type]));
  const columns = namesIn(copy.columns).map((name) => ({ name, type: types.get(name) ?? '' }));
  if (columns.some(({ type }) => type === '') || columns.length !== types.size) {
    const what = `columns of ${partition.schema}.${partition.name}`;
    throw new ArchiverError('CopyRefused', `the manifest and the archived DDL do not agree on the ${what}`);
  }
  return columns;
}

/** The columns that the archived DDL names, without generated ones, which are not archived. */
export function columnsIn({ ddl }: Manifest): SourceColumn[] {
  const { data = [] } = columnsSchema.safeParse(ddl.template['columns']);
  return data.filter(({ generated }) => generated === '').map(({ name, type }) => ({ name, type }));
}

/** The names in a list of identifiers, quoted where they have to be. */
function namesIn(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")+)"|[^\s",]+/g)].map(
    ([plain, quoted]) => quoted?.replaceAll('""', '"') ?? plain,
  );
}
