import { readFileSync } from 'node:fs';
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import postgres from 'postgres';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import type { StackCoordinates } from '../../local/stack.ts';
import { withRoleRetries } from './roles.ts';

/** Password of the login roles. */
export const PASSWORD = 'for-tests-only';

/** What the connections of tests call themselves, so that faults spare them. */
export const APPLICATION_NAME = 'test-bench';

/**
 * Any number of databases that all begin alike, OIDs included, and one versioned bucket for all of them; outside of jest,
 * too.
 */
export class Databases {
  readonly coordinates: StackCoordinates;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly #name: string;
  #count = 0;

  private constructor(coordinates: StackCoordinates, name: string) {
    const { s3 } = coordinates;
    this.coordinates = coordinates;
    this.s3 = makeS3Client({ region: s3.region, endpoint: s3.endpoint, credentials: s3 });
    this.bucket = name.replaceAll('_', '-');
    this.#name = name;
  }

  /** Makes the template with the archiver in it; `fill` makes what is to be archived. `name` is nobody else's. */
  static async make(
    coordinates: StackCoordinates,
    name: string,
    fill: (sql: postgres.Sql) => Promise<void>,
  ): Promise<Databases> {
    const databases = new Databases(coordinates, name);
    await databases.#makeBucket();
    await databases.#makeTemplate(fill);
    return databases;
  }

  get #template(): string {
    return `${this.#name}_template`;
  }

  /** A new database, and its name; with settings of its own. */
  async create(settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const database = `${this.#name}_${String((this.#count += 1))}`;
    await this.#asAdmin(async (admin) => {
      await admin.unsafe(`create database ${database} template ${this.#template}`);
      for (const [setting, value] of Object.entries(settings)) {
        await admin.unsafe(`alter database ${database} set ${setting} = '${value}'`);
      }
    });
    return database;
  }

  async drop(database: string): Promise<void> {
    await this.#asAdmin((admin) => admin.unsafe(`drop database if exists ${database} with (force)`));
  }

  /** As superuser, and directly. */
  connect(database: string, options: postgres.Options<Record<string, never>> = {}): postgres.Sql {
    const { host, port, superuser } = this.coordinates.postgres;
    return postgres({
      host,
      port,
      database,
      user: superuser.user,
      password: superuser.password,
      max: 2,
      onnotice: () => undefined,
      connection: { application_name: APPLICATION_NAME },
      ...options,
    });
  }

  /** For psql, as superuser. */
  url(database: string): string {
    const { host, port, superuser } = this.coordinates.postgres;
    return `postgres://${superuser.user}:${superuser.password}@${host}:${String(port)}/${database}`;
  }

  /** PEM of the authority that vouches for the pooler. */
  get poolerAuthority(): string {
    return readFileSync(this.coordinates.pooler.caFile, 'utf8');
  }

  async close(): Promise<void> {
    this.s3.destroy();
    await this.drop(this.#template);
  }

  async #asAdmin(work: (admin: postgres.Sql) => Promise<unknown>): Promise<void> {
    const admin = this.connect('postgres', { max: 1 });
    try {
      await work(admin);
    } finally {
      await admin.end({ timeout: 1 });
    }
  }

  async #makeBucket(): Promise<void> {
    await this.s3.send(new CreateBucketCommand({ Bucket: this.bucket }));
    await this.s3.send(
      new PutBucketVersioningCommand({
        Bucket: this.bucket,
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
  }

  async #makeTemplate(fill: (sql: postgres.Sql) => Promise<void>): Promise<void> {
    await this.#asAdmin((admin) => admin.unsafe(`create database ${this.#template}`));
    const sql = this.connect(this.#template);
    try {
      await sql`create schema partman`;
      await sql`create extension pg_partman schema partman`;
      await sql`create extension aws_s3 cascade`;
      await installArchiver(sql);
      for (const role of ['archiver_maintain', 'archiver_read', 'archiver_drop']) {
        await withRoleRetries(() => sql.unsafe(`alter role ${role} password '${PASSWORD}'`));
      }
      await fill(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
