import type postgres from 'postgres';
import { connect, type Connection } from '../../adapters/postgres/connect.ts';
import { localSteps, type DatabaseRole, type Wiring } from '../../bin/archive/steps.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import { ArchiverError } from '../../core/errors.ts';
import { silentLog, type Clock } from '../../core/ports.ts';
import { run, type Steps } from '../../core/archive/run.ts';
import type { RunReport } from '../../core/archive/report.ts';
import type { StackCoordinates } from '../../local/stack.ts';
import { Databases, PASSWORD } from '../support/databases.ts';
import { trustOneReading, type ExportOptions } from '../support/export-options.ts';
import { findRows, type Found, type Lines } from '../support/invariant.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { makeRoles } from '../support/roles.ts';
import { ServerLog } from './deadlocks.ts';
import { judgeRows, Model, type Differences } from './model.ts';
import { startWriter, type Act, type Target, type Working } from './writers.ts';

const COLUMNS = ['id', 'ts', 'customer_id', 'payload'];
const ROWS_A_MONTH = 60;

/** How often a lock was not to be had, and for how long the archiver would have paused before it tried again. */
export interface Waits {
  times: number;
  ms: number;
}

/** Databases with a partition set whose rows belong to customers. */
export class RaceBench {
  readonly databases: Databases;
  readonly log: ServerLog;
  /** How segments are exported. */
  readonly way: ExportOptions;

  private constructor(databases: Databases, log: ServerLog, way: ExportOptions) {
    this.databases = databases;
    this.log = log;
    this.way = way;
  }

  /** `name` is that of no other bench on the same stack; the two oldest of the months are kept. */
  static async start(
    coordinates: StackCoordinates,
    name: string,
    {
      months = 4,
      way = { export: 'aws_s3' },
    }: { readonly months?: number; readonly way?: ExportOptions } = {},
  ): Promise<RaceBench> {
    const databases = await Databases.make(coordinates, name, async (sql) => {
      await makeRoles(sql, 'app_owner');
      await sql`create schema app authorization app_owner`;
      await sql`create table app.customer (id integer primary key, name text not null default '')`;
      await sql`alter table app.customer owner to app_owner`;
      await sql`insert into app.customer (id) select generate_series(1, 50)`;
      await createPartitionSet(sql, {
        columns: `customer_id integer not null references app.customer on update cascade on delete cascade, payload text not null`,
        values: `1 + (g % 10)::integer, 'payload ' || g`,
        rowsPerMonth: ROWS_A_MONTH,
        months,
      });
      await sql`grant usage on schema partman to app_owner`;
      await sql`grant all on all tables in schema partman to app_owner`;
      await sql`grant execute on all functions in schema partman to app_owner`;
      await sql`create view app.event_view as select * from app.event`;
      await trustOneReading(sql);
    });
    const admin = databases.connect('postgres', { max: 1 });
    const log = await ServerLog.follow(coordinates.directory, admin);
    await admin.end();
    return new RaceBench(databases, log, way);
  }

  /** A fresh database, with settings of its own. */
  async begin(settings: Readonly<Record<string, string>> = {}): Promise<Race> {
    return Race.begin(this.databases, settings, this.way);
  }

  close(): Promise<void> {
    return this.databases.close();
  }
}

/** One database in which writers and the archiver meet. */
export class Race {
  readonly database: string;
  readonly sql: postgres.Sql;
  /** The partitions that a run will archive, oldest first. */
  readonly cold: readonly Target[];
  readonly waits: Waits = { times: 0, ms: 0 };
  readonly #databases: Databases;
  readonly #models: Model[] = [];
  readonly #working: Working[] = [];
  readonly #way: ExportOptions;
  #ids = 1_000_000;

  private constructor(
    databases: Databases,
    database: string,
    sql: postgres.Sql,
    cold: readonly Target[],
    way: ExportOptions,
  ) {
    this.#way = way;
    this.#databases = databases;
    this.database = database;
    this.sql = sql;
    this.cold = cold;
  }

  static async begin(
    databases: Databases,
    settings: Readonly<Record<string, string>>,
    way: ExportOptions,
  ): Promise<Race> {
    const database = await databases.create(settings);
    const sql = databases.connect(database);
    const cold = await sql<{ partition: string; ts: string }[]>`
      select name as partition, left(split_part(bounds, '''', 2), 19)::timestamp + interval '5 days' || '+00' as ts
        from (select c.oid::regclass::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds
                from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'app.event'::regclass) p
       where bounds <> 'DEFAULT' and split_part(bounds, '''', 4)::timestamptz <= now() - interval '2 months'
       order by 2`;
    return new Race(databases, database, sql, [...cold], way);
  }

  /** The rows from before, as if somebody had committed them; those of `partition` on their own. */
  async know(partition?: string): Promise<Model> {
    const inTables = await this.#lines(partition);
    const elsewhere = new Set(this.#models.flatMap(({ rows }) => [...rows.keys()]));
    const model = new Model(
      new Map([...inTables].filter(([line]) => !elsewhere.has(line.split('\t')[0] ?? ''))),
    );
    this.#models.push(model);
    return model;
  }

  write(kind: string, act: Act, target: Target, model = new Model()): Working {
    if (!this.#models.includes(model)) this.#models.push(model);
    const sql = this.#databases.connect(this.database, { max: 1 });
    const newId = (): string => String((this.#ids += 1));
    const working = startWriter(kind, act, {
      sql,
      url: this.#databases.url(this.database),
      target,
      model,
      newId,
      random: Math.random,
    });
    this.#working.push(working);
    return working;
  }

  async stopWriters(): Promise<readonly Working[]> {
    await Promise.all(this.#working.map((working) => working.stop()));
    return this.#working;
  }

  config(changes: Record<string, unknown> = {}): RuntimeConfig {
    const parsed = parseRuntimeConfig({
      partitionSets: [{ schema: 'app', table: 'event', ...this.#way, drop: true, graceDays: 0, ...changes }],
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.config;
  }

  /** Connects through the pooler, as the steps do. */
  open(role: DatabaseRole, notices: string[] = []): Connection {
    const { host, port } = this.#databases.coordinates.pooler;
    const where = { host, port, database: this.database, user: role, password: PASSWORD };
    const tls = { ca: this.#databases.poolerAuthority };
    return connect({ ...where, tls, applicationName: 'race' }, (notice) => notices.push(notice));
  }

  /** Time with its pauses counted, and cut short, so that as many tries as possible meet the writers. */
  readonly #clock: Clock = {
    now: () => new Date(),
    sleep: (milliseconds) => {
      this.waits.times += 1;
      this.waits.ms += milliseconds;
      return new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 50)));
    },
  };

  steps(changes: Partial<Wiring> = {}): Steps {
    const { s3, bucket, coordinates } = this.#databases;
    return localSteps({
      config: this.config(),
      s3,
      bucket,
      region: coordinates.s3.region,
      clock: this.#clock,
      log: silentLog,
      open: (role, notices) => this.open(role, notices),
      ...changes,
    });
  }

  /** A run; what it failed with where it did. */
  async run(changes: Partial<Wiring> = {}): Promise<RunReport | ArchiverError> {
    const clock = changes.clock ?? this.#clock;
    try {
      return await run({}, this.steps(changes), { concurrency: this.config().concurrency, clock });
    } catch (error) {
      if (error instanceof ArchiverError) return error;
      throw error;
    }
  }

  /** Where all rows are now, besides `elsewhere`, against what was committed. */
  async judge(elsewhere: Lines = new Map()): Promise<Differences & Pick<Found, 'problems' | 'unaccounted'>> {
    const { inTables, inArchives, problems, unaccounted } = await this.#find();
    return { ...judgeRows(this.#models, [inTables, inArchives, elsewhere]), problems, unaccounted };
  }

  async end(): Promise<void> {
    await this.stopWriters();
    await this.sql.end({ timeout: 1 });
    await this.#databases.drop(this.database);
  }

  #find(): Promise<Found> {
    const { s3, bucket } = this.#databases;
    const set = { schema: 'app', table: 'event', columns: COLUMNS };
    return findRows({ sql: this.sql, s3, bucket, database: this.database, ...set });
  }

  async #lines(partition = 'app.event'): Promise<Lines> {
    const rows = await this.sql.unsafe<{ line: string }[]>(
      `select concat_ws(E'\\t', id, ts, customer_id, payload) as line from ${partition}`,
    );
    return new Map(rows.map(({ line }) => [line, 1]));
  }
}
