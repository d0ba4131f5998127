/**
 * Runs one statement in DuckDB, one thread, over Parquet copies or over the archives' text, in a process of its own, so that
 * its CPU time is told. Prints one line of JSON.
 */
import { DuckDBInstance } from '@duckdb/node-api';

/** What the parent asks for: a statement that reads the table `t`. */
export interface QueryTask {
  /** What `t` is. */
  readonly source: string;
  readonly sql: string;
}

const { source, sql } = JSON.parse(process.argv[2] ?? '') as QueryTask;
const start = process.cpuUsage();
const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
const connection = await instance.connect();
const result = await connection.runAndReadAll(`with t as (select * from ${source}) ${sql}`);
const rows = result.getRowsJson();
const { user, system } = process.cpuUsage(start);
process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1e6, rows })}\n`);
