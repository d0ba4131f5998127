import type * as DuckDbModule from '@duckdb/node-api';
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBResult,
  DuckDBValueConverter,
  Json,
} from '@duckdb/node-api';
import { basename, dirname, join } from 'node:path';
import { ArchiverError } from '../../core/errors.ts';
import type { QueryEngine } from '../../core/query/query.ts';
import { inMemory, literal } from '../../core/query/views.ts';
import { shownValue } from './shown-value.ts';

/** What an engine may use of this machine. */
export interface EngineLimits {
  /** Folder of the copies. Nothing else can be read. */
  readonly directory: string;
  /** Folder for what does not fit into memory. */
  readonly temporary: string;
  readonly memoryMiB: number;
  readonly temporaryMiB: number;
  readonly threads: number;
  /** A file that the result may be written to. */
  readonly output?: string | undefined;
}

/** Rows of a result, as they come. */
export interface ResultRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: AsyncIterable<readonly Json[][]>;
}

/** DuckDB in this process. */
export interface DuckDbEngine extends QueryEngine {
  run(sql: string): Promise<ResultRows>;
  /** Writes the result to the output file as Parquet; returns its rows. */
  writeParquet(sql: string): Promise<number>;
  close(): void;
}

/** Loads the engine. It is an optional package, of 70 MB, and nothing else of the product needs it. */
async function load(): Promise<typeof DuckDbModule> {
  try {
    return await import('@duckdb/node-api');
  } catch {
    throw new ArchiverError(
      'QueryEngineMissing',
      'the package @duckdb/node-api is not installed, or not for this machine',
    );
  }
}

/** Starts DuckDB with nothing but what the limits name: no extension is ever fetched, and no other file is read. */
export async function duckDbEngine(limits: EngineLimits): Promise<DuckDbEngine> {
  const duckDb = await load();
  const shown = shownValue(duckDb);
  const { memoryMiB, temporaryMiB, threads, temporary, directory, output } = limits;
  const instance: DuckDBInstance = await duckDb.DuckDBInstance.create(':memory:', {
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    memory_limit: `${memoryMiB}MiB`,
    temp_directory: temporary,
    max_temp_directory_size: `${temporaryMiB}MiB`,
    threads: String(threads),
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    parse: (sql) => parse(connection, sql),

    prepare: async (statements, searchPath) => {
      for (const schema of searchPath)
        await connection.run(`CREATE SCHEMA IF NOT EXISTS ${inMemory(schema)}`);
      for (const statement of statements) await quietly(() => connection.run(statement));
      if (searchPath.length > 0) {
        const path = searchPath.map(inMemory).join(',');
        await connection.run(`SET search_path = ${literal(path)}`);
      }
      await connection.run(`SET allowed_directories = [${literal(directory)}, ${literal(temporary)}]`);
      if (output !== undefined) {
        // Where the file exists, DuckDB writes this one and renames it.
        const written = join(dirname(output), `tmp_${basename(output)}`);
        await connection.run(`SET allowed_paths = [${literal(output)}, ${literal(written)}]`);
      }
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
    },

    run: async (sql) => {
      const result = await quietly(() => connection.stream(sql));
      const types = result.columnTypes();
      const columns = result
        .deduplicatedColumnNames()
        .map((name, index) => ({ name, type: types[index]?.alias ?? String(types[index]) }));
      return { columns, rows: rowsOf(result, shown) };
    },

    writeParquet: async (sql) => {
      const copy = `COPY (${withoutEnd(sql)}\n) TO ${literal(output ?? '')} (FORMAT parquet, COMPRESSION zstd)`;
      const result = await quietly(() => connection.runAndReadAll(copy));
      return Number(result.getRows()[0]?.[0] ?? 0);
    },

    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Rows as they come; what goes wrong on the way goes wrong quietly, too. */
async function* rowsOf(
  result: DuckDBResult,
  shown: DuckDBValueConverter<Json>,
): AsyncGenerator<readonly Json[][]> {
  const rows = result.yieldConvertedRows(shown);
  for (;;) {
    const next = await quietly(() => rows.next());
    if (next.done === true) return;
    yield next.value;
  }
}

async function parse(connection: DuckDBConnection, sql: string): Promise<unknown> {
  const options = 'skip_null := true, skip_empty := true';
  const result = await quietly(() =>
    connection.runAndReadAll(`SELECT json_serialize_sql(${literal(sql)}::VARCHAR, ${options})`),
  );
  const tree = JSON.parse(String(result.getRows()[0]?.[0]), exactNumbers) as {
    readonly error: boolean;
    readonly error_type?: string;
    readonly position?: string;
    readonly statements?: readonly { readonly node: unknown }[];
  };
  if (tree.error && tree.error_type === 'parser') {
    throw new ArchiverError('QueryRefused', `syntax error at character ${Number(tree.position ?? 0) + 1}`);
  }
  if (tree.error) throw new ArchiverError('QueryRefused', 'the statement does not only read');
  if (tree.statements?.length !== 1) {
    throw new ArchiverError('QueryRefused', `${tree.statements?.length ?? 0} statements instead of one`);
  }
  return tree.statements[0]?.node;
}

/** Integers beyond 2^53 as their digits: a statement compares ids with them. */
const exactNumbers = ((_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) ? (source ?? null) : value) as Parameters<
  typeof JSON.parse
>[1];

/** Errors of a native module are not always of this realm's class. */
const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';

/** A statement within parentheses. */
const withoutEnd = (sql: string): string => sql.replace(/[\s;]+$/, '');

const UNREADABLE =
  'a function does not take a value, or a file in the folder copies of the cache is damaged: delete it, and it is fetched again';
/** What the kinds of errors say that a statement may meet. */
const REASONS: Readonly<Record<string, string>> = {
  Conversion: 'a value does not convert to the type that it is cast to or compared with',
  Invalid: UNREADABLE,
  'Invalid Input': UNREADABLE,
  'Out of Range': 'a number is too large, or infinite, for an operator or a function',
};

/**
 * Errors of the engine in words that show no row. Its own messages hold up to 10 KB of the data; only the first line of
 * those about the statement itself says what to correct, and the values in it are the user's own.
 */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = messageOf(error);
    const kind = /^(\w[\w ]{0,30}?) Error:/.exec(message)?.[1] ?? 'unknown';
    if (/^(Parser|Binder|Catalog|Syntax)/.test(message)) {
      throw new ArchiverError('QueryRefused', message.split('\n', 1)[0] ?? kind);
    }
    if (message.startsWith('Permission')) {
      throw new ArchiverError('QueryRefused', 'the statement reads something else than copies of archives');
    }
    if (/^Out of Memory/i.test(message)) {
      throw new ArchiverError(
        'QueryFailed',
        'the engine needs more memory, or more room for temporary files',
      );
    }
    if (kind === 'IO') {
      const reason = /^IO Error: (Cannot open file "[^"\n]*": [\w -]+)/.exec(message)?.[1];
      throw new ArchiverError('InvalidInput', reason ?? 'the engine cannot read or write a local file');
    }
    const reason = REASONS[kind];
    throw new ArchiverError(
      'QueryFailed',
      `the engine failed with ${kind}${reason === undefined ? '' : `: ${reason}`}`,
    );
  }
}
