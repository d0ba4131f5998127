import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { installArchiver } from '../../adapters/postgres/install.ts';
import { startLocalStack, type LocalStack } from '../../local/stack.ts';
import { COORDINATES_FILE, STACK_DIRECTORY } from '../support/stack.ts';
import { FATES, type Ending, type Fate, type Mutant } from './mutant.ts';
import { confirmedEnding, LONG_PATIENCE_MS } from './patience.ts';
import { Workbench } from './workbench.ts';

/** Longer than any of the files takes on a busy machine; a quarantine that waits for ever is noticed by it. */
const PATIENCE_MS = 300_000;

/** pg_partman, aws_s3 and db/*.sql without any mutant; what a mutant changes is installed over a copy of it. */
const SOUND = 'sound';

/** A workbench with a stack of its own, in which the SQL of a mutant is installed for the scenarios. */
export class SqlBench {
  readonly #workbench: Workbench;
  readonly #directory: string;
  readonly #stack: LocalStack;
  /** The scenario that noticed the last mutant, which counts twice: its neighbours are often noticed by the same. */
  #noticed: string | undefined;
  /** How many mutants each scenario noticed, and the time that it took for all that it was tried with. */
  readonly #records = new Map<string, { readonly noticed: number; readonly ms: number }>();

  private constructor(workbench: Workbench, directory: string, stack: LocalStack) {
    this.#workbench = workbench;
    this.#directory = directory;
    this.#stack = stack;
  }

  static async start(): Promise<SqlBench> {
    const directory = mkdtempSync(join(tmpdir(), 'mutation-stack-'));
    // The server's account must be able to go in.
    chmodSync(directory, 0o755);
    const stack = await startLocalStack({ directory, objectStore: 'memory', log: () => undefined });
    const { postgres: server, pooler, s3, secrets } = stack;
    const coordinates = { directory, postgres: server, pooler, s3, secrets };
    writeFileSync(join(directory, COORDINATES_FILE), JSON.stringify(coordinates));
    const bench = new SqlBench(new Workbench(), directory, stack);
    await bench.#prepare();
    return bench;
  }

  /** Whether the scenarios of the mutant's file notice it, one after the other: those that notice most in a second first. */
  try(mutant: Mutant): Promise<Fate> {
    return this.#workbench.with(mutant, async (without) => {
      if (!(await this.#install(mutant.file))) return 'stillborn';
      const tests = (mutant.tests ?? []).toSorted((a, b) => this.#rate(b) - this.#rate(a));
      for (const file of tests) {
        const started = performance.now();
        const ending = await confirmedEnding(
          PATIENCE_MS,
          (patienceMs) => this.#run([file], patienceMs),
          async (patienceMs) => {
            await this.#install();
            const unchanged = await without(() => this.#run([file], patienceMs));
            await this.#install(mutant.file);
            return unchanged;
          },
        );
        const { noticed, ms } = this.#records.get(file) ?? { noticed: 0, ms: 0 };
        this.#records.set(file, {
          noticed: noticed + Number(ending !== 'passed'),
          ms: ms + performance.now() - started,
        });
        if (ending === 'passed') continue;
        this.#noticed = file;
        return FATES[ending];
      }
      return 'survived';
    });
  }

  /**
   * Also looks whether the scenarios that noticed a mutant pass without any: otherwise all were killed by what the first
   * one left behind, or by nothing. At the end, since that says as much of the beginning.
   */
  async close(): Promise<void> {
    const tests = [...this.#records].filter(([, { noticed }]) => noticed > 0).map(([file]) => file);
    await this.#install();
    const sound =
      tests.length === 0 || (await this.#run(tests, LONG_PATIENCE_MS * tests.length, 'inherit')) === 'passed';
    this.#workbench.close();
    await this.#stack.stop();
    rmSync(this.#directory, { recursive: true, force: true });
    if (!sound) throw new Error('the scenarios fail without any mutant, after all mutants');
  }

  #rate(file: string): number {
    const { noticed, ms } = this.#records.get(file) ?? { noticed: 0, ms: 1 };
    return (noticed + Number(file === this.#noticed)) / ms;
  }

  async #prepare(): Promise<void> {
    await this.#using('postgres', (admin) => admin.unsafe(`create database ${SOUND}`));
    await this.#using(SOUND, async (sql) => {
      await sql`create schema partman`;
      await sql`create extension pg_partman schema partman`;
      await sql`create extension aws_s3 cascade`;
      await installArchiver(sql);
    });
  }

  #run(
    files: readonly string[],
    patienceMs: number,
    output: 'ignore' | 'inherit' = 'ignore',
  ): Promise<Ending> {
    const environment = { [STACK_DIRECTORY]: this.#directory };
    return this.#workbench.jest(files, patienceMs, environment, output);
  }

  /** Makes the template again from which each test file gets its database. What failed tests kept goes. */
  async #install(file?: string): Promise<boolean> {
    await this.#using('postgres', async (admin) => {
      const kept = await admin<{ name: string }[]>`
        select datname as name from pg_database where datname not in ('postgres', 'template0', 'template1', ${SOUND})`;
      for (const { name } of kept) await admin.unsafe(`drop database "${name}" with (force)`);
      await admin.unsafe(`create database template_archiver template ${SOUND}`);
    });
    if (file === undefined) return true;
    const text = readFileSync(join(this.#workbench.directory, file), 'utf8');
    try {
      await this.#using('template_archiver', (sql) => sql.unsafe(text).simple());
      return true;
    } catch (error) {
      if (error instanceof postgres.PostgresError) return false;
      throw error;
    }
  }

  async #using<Result>(database: string, work: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
    const { host, port, superuser } = this.#stack.postgres;
    const { user, password } = superuser;
    const sql = postgres({ host, port, database, user, password, max: 1, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end();
    }
  }
}
