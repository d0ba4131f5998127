import type { PartitionInput, TableInput } from '@aws-sdk/client-glue';
import {
  PARTITION_KEYS,
  tableColumns,
  viewDigest,
  type CatalogColumn,
  type CatalogView,
} from '../../core/query/catalog-tables.ts';
import type { StoredPartition, StoredTable } from '../../core/query/catalog.ts';
import { PRODUCT } from '../../core/manifest.ts';

/** Parameters by which the archiver knows what it made. */
export const PARAMETERS = {
  archiver: 'partition-archiver.archiver',
  set: 'partition-archiver.set',
  columns: 'partition-archiver.columns',
  latest: 'partition-archiver.latest',
  view: 'partition-archiver.view',
} as const;

const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet';
const storage = (columns: readonly CatalogColumn[], location: string) => ({
  Columns: columns.map(({ name, type }) => ({ Name: name, Type: type })),
  InputFormat: `${PARQUET}.MapredParquetInputFormat`,
  OutputFormat: `${PARQUET}.MapredParquetOutputFormat`,
  SerdeInfo: { SerializationLibrary: `${PARQUET}.serde.ParquetHiveSerDe` },
  Location: location,
});

/** A table whose partitions each have a place of their own: what lies elsewhere below the place of the table is not read. */
export function tableInput(
  { schema, table: name }: { readonly schema: string; readonly table: string },
  table: StoredTable,
  archiver: string,
): TableInput {
  return {
    Name: table.name,
    Description: 'Parquet copies of archived partitions, of one shape of columns',
    TableType: 'EXTERNAL_TABLE',
    PartitionKeys: PARTITION_KEYS.map((key) => ({ Name: key, Type: 'string' })),
    StorageDescriptor: storage(tableColumns(table.columns), table.location),
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [PARAMETERS.archiver]: archiver,
      [PARAMETERS.set]: JSON.stringify([schema, name]),
      [PARAMETERS.columns]: JSON.stringify(table.columns),
      [PARAMETERS.latest]: table.latest,
    },
  };
}

export const partitionInput = (
  columns: readonly CatalogColumn[],
  { period, archiveId, location }: StoredPartition,
): PartitionInput => ({ Values: [period, archiveId], StorageDescriptor: storage(columns, location) });

/**
 * A view as Athena itself keeps one: base64 of JSON in a comment, and types of Hive beside those of the engine. It has no
 * `Description`: engines take that for the comment, and a view whose comment is not `Presto View` does not exist for them.
 */
export function viewInput(view: CatalogView, database: string, archiver: string): TableInput {
  const definition = {
    originalSql: view.sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: view.columns,
  };
  return {
    Name: view.name,
    // Trino runs a view in the name of its owner, and refuses one that has none. Athena takes the reader's rights.
    Owner: PRODUCT.name,
    TableType: 'VIRTUAL_VIEW',
    ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
    ViewExpandedText: '/* Presto View */',
    StorageDescriptor: {
      Columns: view.columns.map(({ name, type }) => ({ Name: name, Type: hiveTypeOf(type) })),
      // Without it, engines refuse the whole view: seen in Trino, "StorageDescriptor SerDeInfo is null".
      SerdeInfo: {},
    },
    Parameters: {
      presto_view: 'true',
      comment: 'Presto View',
      [PARAMETERS.archiver]: archiver,
      [PARAMETERS.view]: viewDigest(view),
    },
  };
}

const HIVE_TYPES: Readonly<Record<string, string>> = {
  varchar: 'string',
  integer: 'int',
  real: 'float',
  varbinary: 'binary',
  'timestamp(3)': 'timestamp',
};
const hiveTypeOf = (type: string): string => HIVE_TYPES[type] ?? type;
