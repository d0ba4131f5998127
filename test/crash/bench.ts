import type postgres from 'postgres';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import type { StackCoordinates } from '../../local/stack.ts';
import { APPLICATION_NAME, Databases, PASSWORD } from '../support/databases.ts';
import { chooseNoSegment, trustOneReading, type ExportOptions } from '../support/export-options.ts';
import type { FaultProxy, Gate } from '../support/faults/gate.ts';
import { startHttpProxy } from '../support/faults/http-proxy.ts';
import { startPostgresProxy } from '../support/faults/postgres-proxy.ts';
import { startLambdaService } from '../support/faults/lambda-service.ts';
import { awsS3Channel, findSidecar, s3Channel, secretsChannel } from '../support/faults/s3-channels.ts';
import { findRows, type Found } from '../support/invariant.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { Runners, type RunEnd } from './runners.ts';
import { RoleSecrets } from './secrets.ts';

/** Three blocks and a free space map; with this size the plan has two segments. */
const ROWS_A_MONTH = 150;
const SEGMENT_BYTES = 45_000;

interface Proxies {
  readonly sql: FaultProxy;
  readonly s3: FaultProxy;
  readonly awsS3: FaultProxy;
  readonly secrets: FaultProxy;
  readonly lambda: FaultProxy;
}

/** What of a ledger row tells how far a run came. */
export interface LedgerState {
  readonly state: string;
  readonly code: string | null;
  readonly rows: number | null;
}

/** Databases with a partition set of which two partitions are cold, and the archiver in another process behind proxies. */
export class CrashBench {
  readonly runners = new Runners();
  readonly databases: Databases;
  readonly secrets: RoleSecrets;
  readonly #proxies: Proxies;
  readonly #config: RuntimeConfig;

  private constructor(databases: Databases, secrets: RoleSecrets, proxies: Proxies, way: ExportOptions) {
    this.databases = databases;
    this.secrets = secrets;
    this.#proxies = proxies;
    this.#config = configure(way);
  }

  /** `name` is that of no other bench on the same stack. */
  static async start(
    coordinates: StackCoordinates,
    name: string,
    way: ExportOptions = { export: 'aws_s3' },
  ): Promise<CrashBench> {
    const databases = await Databases.make(coordinates, name, async (sql) => {
      const values = `repeat('payload ' || g || ' ', 6)`;
      await createPartitionSet(sql, { values, rowsPerMonth: ROWS_A_MONTH });
      await trustOneReading(sql);
      // So that a point has the same number in every run.
      await chooseNoSegment(sql);
    });
    const secrets = await RoleSecrets.make(coordinates.secrets.endpoint, name, PASSWORD);
    const proxies = {
      sql: await startPostgresProxy({ ...coordinates.pooler, ca: databases.poolerAuthority }),
      s3: await startHttpProxy(s3Channel(coordinates.s3.endpoint)),
      awsS3: await startHttpProxy(awsS3Channel(await findSidecar(databases))),
      secrets: await startHttpProxy(secretsChannel(coordinates.secrets.endpoint)),
      lambda: await startLambdaService(),
    };
    return new CrashBench(databases, secrets, proxies, way);
  }

  /** A fresh database. */
  async begin(): Promise<CrashCase> {
    const database = await this.databases.create({
      'aws_s3_local.sidecar': `http://127.0.0.1:${String(this.#proxies.awsS3.port)}`,
      // The stack gives durability up for speed; what a commit has answered must outlive a kill -9 here.
      synchronous_commit: 'on',
    });
    return new CrashCase(this, database);
  }

  run(database: string, gate: Gate): Promise<RunEnd> {
    for (const proxy of Object.values(this.#proxies) as FaultProxy[]) proxy.gate = gate;
    const { region, accessKeyId, secretAccessKey } = this.databases.coordinates.s3;
    const endpoint = `http://127.0.0.1:${String(this.#proxies.s3.port)}`;
    return this.runners.run({
      postgres: { port: this.#proxies.sql.port, database },
      secrets: {
        endpoint: `http://127.0.0.1:${String(this.#proxies.secrets.port)}`,
        arns: this.secrets.arns,
      },
      s3: { endpoint, region, accessKeyId, secretAccessKey, bucket: this.databases.bucket },
      lambda: { endpoint: `http://127.0.0.1:${String(this.#proxies.lambda.port)}` },
      config: this.#config,
    });
  }

  async close(): Promise<void> {
    this.runners.close();
    this.secrets.close();
    for (const proxy of Object.values(this.#proxies) as FaultProxy[]) await proxy.close();
    await this.databases.close();
  }
}

/** One database in which a run meets a fault. */
export class CrashCase {
  readonly database: string;
  readonly sql: postgres.Sql;
  readonly #bench: CrashBench;

  constructor(bench: CrashBench, database: string) {
    this.#bench = bench;
    this.database = database;
    this.sql = bench.databases.connect(database);
  }

  run(gate: Gate): Promise<RunEnd> {
    return this.#bench.run(this.database, gate);
  }

  findRows(): Promise<Found> {
    const { sql, database } = this;
    const { s3, bucket } = this.#bench.databases;
    const set = { schema: 'app', table: 'event', columns: ['id', 'ts', 'payload'] };
    return findRows({ sql, s3, bucket, database, ...set });
  }

  async states(): Promise<LedgerState[]> {
    return this.sql<LedgerState[]>`
      select state, coalesce(blocked_code, failed_code) as code, row_count::integer as rows
        from partition_archiver.partition where state <> 'attached' order by id`;
  }

  /** The archiver's locks on tables other than its own ledger, by schema. */
  async locks(): Promise<{ lock: string }[]> {
    return this.sql<{ lock: string }[]>`
      select distinct format('%s on %s', l.mode, c.relnamespace::regnamespace) as lock
        from pg_locks l join pg_stat_activity a using (pid) join pg_class c on c.oid = l.relation
       where a.datname = current_database() and a.application_name <> ${APPLICATION_NAME}
         and c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text not in ('partition_archiver', 'pg_catalog')`;
  }

  /** What an operator does once the reason is out of the way. Returns the codes of the partitions that were blocked. */
  async unblock(): Promise<string[]> {
    const rows = await this.sql<{ code: string }[]>`
      select partition_archiver.unblock(id), blocked_code as code from partition_archiver.partition where state = 'blocked'`;
    return rows.map(({ code }) => code);
  }

  async end(): Promise<void> {
    await this.sql.end({ timeout: 1 });
    await this.#bench.databases.drop(this.database);
  }
}

function configure(way: ExportOptions): RuntimeConfig {
  const parsed = parseRuntimeConfig({
    partitionSets: [{ schema: 'app', table: 'event', ...way, drop: true, graceDays: 0 }],
    // One after the other, so that a point has the same number in every run.
    concurrency: { partitions: 1, segments: 1 },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { config } = parsed;
  // Smaller than a configuration may ask for.
  const segmentSizeMiB = SEGMENT_BYTES / 2 ** 20;
  return { ...config, partitionSets: config.partitionSets.map((set) => ({ ...set, segmentSizeMiB })) };
}
