import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import { startLocalStack, type LocalStack } from '../../local/stack.ts';
import { COORDINATES_FILE, STACK_DIRECTORY } from '../support/stack.ts';
import type { Fate, Mutant } from './mutant.ts';
import { Workbench } from './workbench.ts';

/** Longer than any of the files takes, and a quarantine that waits for ever. */
const PATIENCE_MS = 240_000;

type Install = (sql: postgres.Sql) => Promise<void>;

/** A workbench with a stack of its own, in which the SQL of a mutant is installed for the scenarios. */
export class SqlBench {
  readonly #workbench: Workbench;
  readonly #directory: string;
  readonly #stack: LocalStack;

  private constructor(workbench: Workbench, directory: string, stack: LocalStack) {
    this.#workbench = workbench;
    this.#directory = directory;
    this.#stack = stack;
  }

  /** With the tests that the mutants are for; they must pass without any. */
  static async start(tests: readonly string[]): Promise<SqlBench> {
    const directory = mkdtempSync(join(tmpdir(), 'mutation-stack-'));
    // The server's account must be able to go in.
    chmodSync(directory, 0o755);
    const stack = await startLocalStack({ directory, objectStore: 'memory', log: () => undefined });
    const { postgres: server, pooler, s3, secrets } = stack;
    const coordinates = { directory, postgres: server, pooler, s3, secrets };
    writeFileSync(join(directory, COORDINATES_FILE), JSON.stringify(coordinates));
    const bench = new SqlBench(new Workbench(), directory, stack);
    await bench.#assertGreen(tests);
    return bench;
  }

  /** Whether the scenarios of the mutant's file notice it, one after the other. */
  try(mutant: Mutant): Promise<Fate> {
    return this.#workbench.with(mutant, async () => {
      if (!(await this.#install())) return 'stillborn';
      for (const file of mutant.tests ?? []) {
        const ending = await this.#run([file]);
        if (ending !== 'passed') return ending === 'hung' ? 'timeout' : 'killed';
      }
      return 'survived';
    });
  }

  async close(): Promise<void> {
    this.#workbench.close();
    await this.#stack.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #assertGreen(tests: readonly string[]): Promise<void> {
    if (!(await this.#install())) throw new Error('db/*.sql cannot be installed');
    if ((await this.#run(tests)) !== 'passed') throw new Error('the scenarios fail without any mutant');
  }

  #run(files: readonly string[]): ReturnType<Workbench['jest']> {
    const environment = { [STACK_DIRECTORY]: this.#directory };
    return this.#workbench.jest(files, PATIENCE_MS * files.length, environment);
  }

  /** Makes the template anew from which each test file gets its database. What failed tests kept goes. */
  async #install(): Promise<boolean> {
    const admin = this.#connect('postgres');
    try {
      const kept = await admin<{ name: string }[]>`
        select datname as name from pg_database where datname not in ('postgres', 'template0', 'template1')`;
      for (const { name } of kept) await admin.unsafe(`drop database "${name}" with (force)`);
      await admin.unsafe('create database template_archiver');
    } finally {
      await admin.end();
    }
    const sql = this.#connect('template_archiver');
    const module = pathToFileURL(join(this.#workbench.directory, 'adapters', 'postgres', 'install.ts')).href;
    const { installArchiver } = (await import(module)) as { installArchiver: Install };
    try {
      await sql`create schema partman`;
      await sql`create extension pg_partman schema partman`;
      await sql`create extension aws_s3 cascade`;
      await installArchiver(sql);
      return true;
    } catch (error) {
      if (error instanceof postgres.PostgresError) return false;
      throw error;
    } finally {
      await sql.end();
    }
  }

  #connect(database: string): postgres.Sql {
    const { host, port, superuser } = this.#stack.postgres;
    const { user, password } = superuser;
    return postgres({ host, port, database, user, password, max: 1, onnotice: () => undefined });
  }
}
