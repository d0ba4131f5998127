import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchGetPartitionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  GetDatabaseCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  UpdateTableCommand,
  type GlueClient,
  type PartitionError,
  type Table,
  type TableInput,
} from '@aws-sdk/client-glue';
import { ArchiverError } from '../../core/errors.ts';
import { tableColumns, viewDigest, type ShapeTable } from '../../core/query/catalog-tables.ts';
import type { Catalog, StoredPartition, StoredTable } from '../../core/query/catalog.ts';
import { copyColumns } from '../../core/query/copy-manifest.ts';
import { isNamed, translatedGlue } from './errors.ts';
import { partitionInput, tableInput, viewInput, PARAMETERS } from './inputs.ts';

/** Most partitions in a call (https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html and its likes). */
const MOST_CREATED = 100;
const MOST_DELETED = 25;
const MOST_READ = 1000;
/** As many as travel through a state machine. */
const MOST_LISTED = 500;

/** How often a call is tried whose answer says that some of its partitions may pass the next time. */
const TRIES = 4;

/** Codes in an answer that is a success as a whole, which another try may pass. */
const PASSING =
  /^(InternalServiceException|OperationTimeoutException|ThrottlingException|ConcurrentModificationException)$/;

/** One database of AWS Glue. */
export function glueCatalog(client: GlueClient, database: string, archiver: string): Catalog {
  const DatabaseName = database;
  const getTable = async (Name: string): Promise<Table | undefined> => {
    try {
      return (await client.send(new GetTableCommand({ DatabaseName, Name }))).Table;
    } catch (error) {
      if (isNamed(error, 'EntityNotFoundException')) return undefined;
      throw error;
    }
  };

  /** `CatalogConflict` where it is not this archiver's. */
  async function hasDatabase(): Promise<boolean> {
    try {
      const { Database } = await client.send(new GetDatabaseCommand({ Name: database }));
      if (Database?.Parameters?.[PARAMETERS.archiver] !== archiver) throw conflict(`database ${database}`);
      return true;
    } catch (error) {
      if (isNamed(error, 'EntityNotFoundException')) return false;
      throw error;
    }
  }

  async function allTables(): Promise<Table[]> {
    const tables: Table[] = [];
    let NextToken: string | undefined;
    do {
      const answer = await client.send(
        new GetTablesCommand({ DatabaseName, ...(NextToken !== undefined && { NextToken }) }),
      );
      tables.push(...(answer.TableList ?? []));
      ({ NextToken } = answer);
    } while (NextToken !== undefined);
    return tables;
  }

  async function put(input: TableInput): Promise<void> {
    try {
      await client.send(new CreateTableCommand({ DatabaseName, TableInput: input }));
    } catch (error) {
      if (!isNamed(error, 'AlreadyExistsException')) throw error;
      const there = await getTable(input.Name ?? '');
      if (there?.Parameters?.[PARAMETERS.archiver] !== archiver)
        throw conflict(`table ${database}.${input.Name ?? ''}`);
      await client.send(new UpdateTableCommand({ DatabaseName, TableInput: input }));
    }
  }

  /** Sends values by the batch, and again those whose error may pass. `AlreadyExists` and `EntityNotFound` are looked at by `settle`. */
  async function inBatches<Item extends { readonly period: string; readonly archiveId: string }>(
    items: readonly Item[],
    most: number,
    send: (batch: readonly Item[]) => Promise<readonly PartitionError[]>,
    settle: (code: string, item: Item) => Promise<boolean>,
  ): Promise<void> {
    for (let start = 0; start < items.length; start += most) {
      let left: readonly Item[] = items.slice(start, start + most);
      for (let attempt = 1; left.length > 0; attempt += 1) {
        const again: Item[] = [];
        for (const { PartitionValues, ErrorDetail } of await send(left)) {
          const item = left.find(({ archiveId }) => archiveId === PartitionValues?.[1]);
          const code = ErrorDetail?.ErrorCode ?? 'unknown';
          if (item !== undefined && (await settle(code, item))) continue;
          if (item === undefined || !PASSING.test(code) || attempt === TRIES) {
            throw new ArchiverError(
              'CatalogFailed',
              `archive ${item?.archiveId ?? '?'}: Glue returned ${code}`,
            );
          }
          again.push(item);
        }
        left = again;
      }
    }
  }

  const partitionsOf = async (
    TableName: string,
    keys: readonly Pick<StoredPartition, 'period' | 'archiveId'>[],
  ): Promise<StoredPartition[]> => {
    const found: StoredPartition[] = [];
    for (let start = 0; start < keys.length; start += MOST_READ) {
      let PartitionsToGet = keys
        .slice(start, start + MOST_READ)
        .map(({ period, archiveId }) => ({ Values: [period, archiveId] }));
      while (PartitionsToGet.length > 0) {
        const answer = await client.send(
          new BatchGetPartitionCommand({ DatabaseName, TableName, PartitionsToGet }),
        );
        for (const { Values: [period = '', archiveId = ''] = [], StorageDescriptor } of answer.Partitions ??
          []) {
          found.push({ period, archiveId, location: StorageDescriptor?.Location ?? '' });
        }
        PartitionsToGet = (answer.UnprocessedKeys ?? []).map(({ Values = [] }) => ({ Values }));
      }
    }
    return found;
  };

  const calls: Catalog = {
    database,
    prepare: async () => {
      if (await hasDatabase()) return;
      const Parameters = { [PARAMETERS.archiver]: archiver };
      try {
        await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database, Parameters } }));
      } catch (error) {
        // Another Convert was faster, or the answer to the first try was lost.
        if (!isNamed(error, 'AlreadyExistsException')) throw error;
        await hasDatabase();
      }
    },
    tables: async (set) => {
      const key = JSON.stringify([set.schema, set.table]);
      return (await allTables()).flatMap(
        ({ Name = '', Parameters = {}, StorageDescriptor }): StoredTable[] => {
          const {
            [PARAMETERS.set]: of,
            [PARAMETERS.columns]: columns,
            [PARAMETERS.latest]: latest = '',
          } = Parameters;
          if (of !== key || columns === undefined || Parameters[PARAMETERS.archiver] !== archiver) return [];
          const location = StorageDescriptor?.Location ?? '';
          return [{ name: Name, columns: copyColumns(columns, `${database}.${Name}`), latest, location }];
        },
      );
    },
    putTable: (set, table) => put(tableInput(set, table, archiver)),
    putView: async (view) => {
      const there = await getTable(view.name);
      if (there?.Parameters?.[PARAMETERS.view] === viewDigest(view)) return;
      await put(viewInput(view, database, archiver));
    },
    partitions: partitionsOf,
    allPartitions: async (after) => {
      // By name, so that each page finds the table where the last one ended, and those behind it.
      const names = (await allTables())
        .filter(({ Parameters = {} }) => Parameters[PARAMETERS.archiver] === archiver)
        .filter(({ Parameters = {} }) => Parameters[PARAMETERS.columns] !== undefined)
        .map(({ Name = '' }) => Name)
        .sort();
      const TableName = names.find((name) =>
        after?.token === null ? name > after.table : name >= (after?.table ?? ''),
      );
      if (TableName === undefined) return { partitions: [], after: null };
      const NextToken = after?.table === TableName ? (after.token ?? undefined) : undefined;
      const answer = await client.send(
        new GetPartitionsCommand({
          DatabaseName,
          TableName,
          MaxResults: MOST_LISTED,
          ExcludeColumnSchema: true,
          ...(NextToken !== undefined && { NextToken }),
        }),
      );
      const partitions = (answer.Partitions ?? []).map(({ Values: [period = '', archiveId = ''] = [] }) => ({
        table: TableName,
        period,
        archiveId,
      }));
      const isLast = answer.NextToken === undefined && TableName === names.at(-1);
      return { partitions, after: isLast ? null : { table: TableName, token: answer.NextToken ?? null } };
    },
    addPartitions: (table: ShapeTable, partitions) => {
      const columns = tableColumns(table.columns);
      return inBatches(
        partitions,
        MOST_CREATED,
        async (batch) => {
          const PartitionInputList = batch.map((partition) => partitionInput(columns, partition));
          const answer = await client.send(
            new BatchCreatePartitionCommand({ DatabaseName, TableName: table.name, PartitionInputList }),
          );
          return answer.Errors ?? [];
        },
        async (code, item) => {
          if (code !== 'AlreadyExistsException') return false;
          const [there] = await partitionsOf(table.name, [item]);
          if (there?.location === item.location) return true;
          throw conflict(`the partition of archive ${item.archiveId} in ${database}.${table.name}`);
        },
      );
    },
    removePartitions: (TableName, keys) =>
      inBatches(
        keys,
        MOST_DELETED,
        async (batch) => {
          const PartitionsToDelete = batch.map(({ period, archiveId }) => ({ Values: [period, archiveId] }));
          const answer = await client.send(
            new BatchDeletePartitionCommand({ DatabaseName, TableName, PartitionsToDelete }),
          );
          return answer.Errors ?? [];
        },
        (code) => Promise.resolve(code === 'EntityNotFoundException'),
      ),
  };
  return translatedGlue(calls);
}

const conflict = (what: string): ArchiverError =>
  new ArchiverError('CatalogConflict', `${what} is there already, and this archiver did not create it`);
