import { GlueServiceException } from '@aws-sdk/client-glue';
import { ArchiverError } from '../../core/errors.ts';
import type { Catalog } from '../../core/query/catalog.ts';

/** Whether the SDK threw an error of this name. */
export const isNamed = (error: unknown, name: string): boolean =>
  error instanceof GlueServiceException && error.name === name;

/** A catalogue whose errors are those of the catalogue of errors. Messages of AWS name resources and roles, and no rows. */
export function translatedGlue(catalog: Catalog): Catalog {
  return {
    database: catalog.database,
    prepare: () => translated('looking up the database', () => catalog.prepare()),
    tables: (set) => translated('listing tables', () => catalog.tables(set)),
    putTable: (set, table) => translated(`writing table ${table.name}`, () => catalog.putTable(set, table)),
    putView: (view) => translated(`writing view ${view.name}`, () => catalog.putView(view)),
    partitions: (table, keys) =>
      translated(`looking up partitions of ${table}`, () => catalog.partitions(table, keys)),
    allPartitions: (after) => translated('listing partitions', () => catalog.allPartitions(after)),
    addPartitions: (table, partitions) =>
      translated(`adding partitions to ${table.name}`, () => catalog.addPartitions(table, partitions)),
    removePartitions: (table, keys) =>
      translated(`removing partitions of ${table}`, () => catalog.removePartitions(table, keys)),
  };
}

async function translated<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translate(error, doing);
  }
}

function translate(error: unknown, doing: string): unknown {
  if (error instanceof ArchiverError) return error;
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof GlueServiceException ? `${name}: ${error.message}` : name;
  // Under Lake Formation, Glue refuses by the same exception as IAM does, and only its message tells.
  if (/^(AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken)/.test(name)) {
    return new ArchiverError('CatalogDenied', `${doing}: ${message}`);
  }
  if (
    error instanceof GlueServiceException &&
    error.$fault === 'client' &&
    !/Throttl|ConcurrentModif|Timeout/.test(name)
  ) {
    return new ArchiverError('CatalogRejected', `${doing}: ${message}`);
  }
  return new ArchiverError('CatalogFailed', `${doing}: ${message}`);
}
