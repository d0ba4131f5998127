import { DuckDBInstance } from '@duckdb/node-api';

/** Runs statements in DuckDB, a reader that shares no code with the product's, and returns the rows of the last one. */
export async function inDuckDb(...statements: string[]): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    await connection.run("set TimeZone = 'UTC'");
    let rows: unknown[][] = [];
    for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRowsJson();
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
