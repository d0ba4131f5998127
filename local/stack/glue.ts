import { text } from 'node:stream/consumers';
import { serveJson, type JsonAnswer, type JsonService } from './json-service.ts';

type Fields = Record<string, unknown>;

interface Entry {
  readonly table: Fields;
  readonly partitions: Map<string, Fields>;
}

/** Most items in a call, as the API reference has them for each operation. */
const LIMITS: Readonly<Record<string, readonly [field: string, most: number]>> = {
  BatchCreatePartition: ['PartitionInputList', 100],
  BatchDeletePartition: ['PartitionsToDelete', 25],
  BatchGetPartition: ['PartitionsToGet', 1000],
};

/** So few that what is read page by page is read in several. */
const TABLES_A_PAGE = 2;
const PARTITIONS_A_PAGE = 3;

/**
 * Starts a stub of AWS Glue's JSON protocol: databases, tables, partitions, in memory. Behaviour is that of the API reference
 * (https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html and its neighbours): names are kept in lower
 * case, a batch that exceeds its limit is a ValidationException, and partitions of a batch fail one by one, in `Errors` of an
 * answer that succeeded. Signatures, IAM and Lake Formation are not checked. Point an SDK client's `endpoint` (or
 * AWS_ENDPOINT_URL_GLUE) at it.
 *
 * @param instead what an operation returns in place of what it would, for tests; `undefined` leaves it alone
 */
export async function startGlue(
  instead: (operation: string, input: Fields) => JsonAnswer | undefined = () => undefined,
): Promise<JsonService> {
  const databases = new Map<string, Fields>();
  const tables = new Map<string, Entry>();
  return serveJson(async (request) => {
    const operation = String(request.headers['x-amz-target']).replace(/^AWSGlue\./, '');
    const input = JSON.parse(await text(request)) as Fields;
    return instead(operation, input) ?? operate(operation, input, { databases, tables });
  });
}

interface Catalog {
  readonly databases: Map<string, Fields>;
  readonly tables: Map<string, Entry>;
}

const ok = (body: Fields = {}): JsonAnswer => ({ status: 200, body });

/** A refusal, as the protocol has it. */
export const glueFailure = (type: string, message: string): JsonAnswer => ({
  status: 400,
  body: { __type: type, Message: message },
});

function operate(operation: string, input: Fields, { databases, tables }: Catalog): JsonAnswer {
  const [field, most = 0] = LIMITS[operation] ?? [];
  if (field !== undefined && (input[field] as unknown[]).length > most) {
    return glueFailure(
      'ValidationException',
      `${field} must have length less than or equal to ${String(most)}`,
    );
  }
  const database = lower(input['DatabaseName'] ?? input['Name']);
  const tableInput = (input['TableInput'] ?? {}) as Fields;
  const name = lower(input['TableName'] ?? tableInput['Name'] ?? input['Name']);
  const key = `${database}.${name}`;
  const entry = tables.get(key);
  switch (operation) {
    case 'CreateDatabase': {
      const made = input['DatabaseInput'] as Fields;
      if (databases.has(lower(made['Name'])))
        return glueFailure('AlreadyExistsException', 'Database already exists.');
      databases.set(lower(made['Name']), { ...made, Name: lower(made['Name']) });
      return ok();
    }
    case 'GetDatabases':
      return ok({ DatabaseList: [...databases.values()] });
    case 'GetDatabase':
      return databases.has(database) ? ok({ Database: databases.get(database) }) : notFound('Database');
    case 'CreateTable':
      if (!databases.has(database)) return notFound('Database');
      if (entry !== undefined) return glueFailure('AlreadyExistsException', 'Table already exists.');
      tables.set(key, {
        table: { ...tableInput, Name: name, DatabaseName: database },
        partitions: new Map(),
      });
      return ok();
    case 'UpdateTable':
      if (entry === undefined) return notFound('Table');
      tables.set(key, { ...entry, table: { ...tableInput, Name: name, DatabaseName: database } });
      return ok();
    case 'GetTable':
      return entry === undefined ? notFound('Table') : ok({ Table: entry.table });
    case 'GetTables': {
      if (!databases.has(database)) return notFound('Database');
      const all = [...tables.values()]
        .map(({ table }) => table)
        .filter((each) => each['DatabaseName'] === database);
      const from = Number(input['NextToken'] ?? 0);
      const next = from + TABLES_A_PAGE;
      return ok({
        TableList: all.slice(from, next),
        ...(next < all.length && { NextToken: String(next) }),
      });
    }
    case 'GetPartitions': {
      if (entry === undefined) return notFound('Table');
      // Of several segments the first has all, whatever the expression: engines filter once more.
      const { SegmentNumber = 0 } = (input['Segment'] ?? {}) as { SegmentNumber?: number };
      const all = SegmentNumber === 0 ? [...entry.partitions.values()] : [];
      const from = Number(input['NextToken'] ?? 0);
      const next = from + Math.min(Number(input['MaxResults'] ?? 100), PARTITIONS_A_PAGE);
      return ok({ Partitions: all.slice(from, next), ...(next < all.length && { NextToken: String(next) }) });
    }
    case 'BatchCreatePartition':
    case 'BatchDeletePartition':
    case 'BatchGetPartition':
      return entry === undefined ? notFound('Table') : ofPartitions(operation, input, entry);
    default:
      return glueFailure('UnknownOperationException', `not offered by the local stub: ${operation}`);
  }
}

function ofPartitions(operation: string, input: Fields, { table, partitions }: Entry): JsonAnswer {
  const { DatabaseName, Name: TableName } = table as { DatabaseName?: unknown; Name?: unknown };
  const keyOf = (item: Fields): string => JSON.stringify(item['Values']);
  const failed = (item: Fields, code: string): Fields => ({
    PartitionValues: item['Values'],
    ErrorDetail: { ErrorCode: code, ErrorMessage: code },
  });
  const items = input[LIMITS[operation]?.[0] ?? ''] as Fields[];
  if (operation === 'BatchGetPartition') {
    return ok({
      Partitions: items.flatMap((item) => partitions.get(keyOf(item)) ?? []),
      UnprocessedKeys: [],
    });
  }
  const Errors: Fields[] = [];
  for (const item of items) {
    const isThere = partitions.has(keyOf(item));
    if (operation === 'BatchDeletePartition') {
      if (isThere) partitions.delete(keyOf(item));
      else Errors.push(failed(item, 'EntityNotFoundException'));
    } else if (isThere) Errors.push(failed(item, 'AlreadyExistsException'));
    else partitions.set(keyOf(item), { ...item, DatabaseName, TableName });
  }
  return ok({ Errors });
}

const lower = (name: unknown): string => (typeof name === 'string' ? name.toLowerCase() : '');
const notFound = (what: string): JsonAnswer => glueFailure('EntityNotFoundException', `${what} not found.`);
