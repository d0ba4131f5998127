/** A database on a file system of its own, which really runs out of space. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import postgres from 'postgres';
import { giveToServiceAccount } from '../../../local/stack/commands.ts';
import { useArchiver } from '../../support/archiver.ts';
import { stack } from '../../support/database.ts';
import { readLedger } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-full-'));
const ballast = join(directory, 'ballast');
// Only root may mount, and not in every container: where not, this is skipped.
const mounted = mount();
const onSmallDisk = mounted ? test : test.skip;

function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const MIB = 1024 ** 2;
const TABLESPACE = 'small';

/** Leaves at most so many bytes, whatever the server writes or frees there meanwhile. */
function fill(left: number): void {
  for (;;) {
    const { bavail, bsize } = statfsSync(directory);
    const bytes = Math.min(MIB, bavail * bsize - left);
    if (bytes <= 0) return;
    try {
      writeFileSync(ballast, Buffer.alloc(bytes, 1), { flag: 'a' });
    } catch (error) {
      // The server wrote in between: it is full all the same. Seen to fail here, on a fresh machine.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      return;
    }
  }
}

/** Runs `work` while there are at most so many bytes: what somebody frees, such as autovacuum, is taken at once. */
async function whileFull<T>(left: number, work: () => Promise<T>): Promise<T> {
  fill(left);
  const refill = setInterval(() => fill(left), 10);
  try {
    return await work();
  } finally {
    clearInterval(refill);
    truncateSync(ballast);
  }
}

async function asAdmin(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const { host, port, superuser } = stack().postgres;
  const { user: username, password } = superuser;
  const sql = postgres({
    host,
    port,
    database: 'postgres',
    username,
    password,
    max: 1,
    onnotice: () => undefined,
  });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

/** Moves the test's database, if it is still there. */
async function move(tablespace: string): Promise<void> {
  const { name } = archiver().database;
  await asAdmin(async (sql) => {
    if ((await sql`select from pg_database where datname = ${name}`).length === 0) return;
    // Not even autovacuum may be in it, and none comes while no connection is allowed.
    await sql`alter database ${sql(name)} with allow_connections false`;
    await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = ${name}`;
    await sql`alter database ${sql(name)} set tablespace ${sql(tablespace)}`;
    await sql`alter database ${sql(name)} with allow_connections true`;
  });
}

beforeAll(async () => {
  if (!mounted) return;
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'data'));
  await giveToServiceAccount(join(directory, 'data'));
  await asAdmin((sql) => sql.unsafe(`create tablespace ${TABLESPACE} location '${join(directory, 'data')}'`));
  await move(TABLESPACE);
});

afterAll(async () => {
  if (!mounted) return;
  // The database is gone, or is kept for a look at it, elsewhere, because a test failed. Seen to fail ("tablespace is not
  // empty", and the mount stayed) without the move, once a test had failed.
  await move('pg_default');
  await asAdmin((sql) => sql.unsafe(`drop tablespace ${TABLESPACE}`));
  execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
});

onSmallDisk(
  'a run, its drops and a restore on a full disk leave nothing half done, and continue once there is space',
  async () => {
    const { run, config, database, operations } = archiver();
    const { sql } = database;
    await createPartitionSet(sql, { months: 5, rowsPerMonth: 20_000, values: `repeat(md5(g::text), 10)` });
    const set = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
    const [before] = await sql<[{ rows: number }]>`select count(*)::integer as rows from app.event`;
    await run(set, { only: 'inventory' });
    await sql.unsafe('vacuum full');

    // Ledger and catalogs have no room.
    const full = await whileFull(0, () => failureOf(run(set)));
    // The preflight tries things in transactions that it rolls back, and may be the first to meet the full disk.
    expect(['PartitionsFailed', 'StorageFull']).toContain(full.code);
    // pg_partman raises what it met under a code of its own (P0001), so that the words are all there is.
    // Seen to fail without them in RERAISED, adapters/postgres/errors.ts.
    expect(`${full.code}: ${full.message}`).toContain('StorageFull');
    expect(await run(set, { archiveOnly: true })).toMatchObject({ archived: 3, failed: 0, rows: 60_000 });

    // A drop needs next to nothing; it says so, or is done.
    await whileFull(0, () =>
      run(set, { only: 'drop' }).catch((error: unknown) => {
        expect(error).toMatchObject({ name: 'PartitionsFailed' });
      }),
    );
    await run(set);
    const states = (await readLedger(sql, 'event')).map(({ state }) => state);
    expect(states.filter((state) => state === 'dropped')).toHaveLength(3);

    const { archives } = await operations().find({ schema: 'app', table: 'event' });
    expect(archives).toHaveLength(3);
    const manifestKey = archives[0]!.manifestKey;
    const failed = await whileFull(2 * MIB, () => failureOf(operations().restore({ manifestKey })));
    expect(failed).toMatchObject({
      code: 'StorageFull',
      retryable: true,
      message: expect.stringContaining('No space left on device'),
      hint: expect.stringContaining('resumes where it stopped'),
    });
    expect(
      await sql`select from pg_class where relname = ${archives[0]!.partition.table} and relnamespace = 'app'::regnamespace`,
    ).toEqual([]);
    expect(await operations().restore({ manifestKey })).toMatchObject({ rows: 20_000 });
    expect(before.rows).toBe(100_000);
  },
);
