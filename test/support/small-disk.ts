/** A file system of a few MiB for the database of a test file, which really runs out of space. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import postgres from 'postgres';
import { giveToServiceAccount } from '../../local/stack/commands.ts';
import type { Archiver } from './archiver.ts';
import { stack } from './database.ts';
import { testIf, type ConditionalTest } from './test-if.ts';

export const MIB = 1024 ** 2;
const TABLESPACE = `small_${randomUUID().slice(0, 8)}`;

/** What {@link useSmallDisk} returns. */
export interface SmallDisk {
  /** `test`, skipped where nothing can be mounted: only root may, and not in every container. */
  readonly onSmallDisk: ConditionalTest;
  /** Runs `work` while there are at most so many bytes: what somebody frees, such as autovacuum, is taken at once. */
  readonly whileFull: <T>(left: number, work: () => Promise<T>) => Promise<T>;
}

/** Moves the database of this test file to a disk of its own, for as long as the file runs. */
export function useSmallDisk(archiver: () => Archiver): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-full-'));
  const ballast = join(directory, 'ballast');
  const mounted = mount(directory);
  const free = (): number => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  };

  const fill = (left: number): void => {
    for (;;) {
      const bytes = Math.min(MIB, free() - left);
      if (bytes <= 0) return;
      try {
        writeFileSync(ballast, Buffer.alloc(bytes, 1), { flag: 'a' });
      } catch (error) {
        // The server wrote in between: it is full all the same. Seen to fail here, on a fresh machine.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        return;
      }
    }
  };

  beforeAll(async () => {
    if (!mounted) return;
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'data'));
    await giveToServiceAccount(join(directory, 'data'));
    await asAdmin((sql) =>
      sql.unsafe(`create tablespace ${TABLESPACE} location '${join(directory, 'data')}'`),
    );
    await move(archiver().database.name, TABLESPACE);
  });

  afterAll(async () => {
    if (!mounted) return;
    // The database is gone, or is kept for a look at it, elsewhere, because a test failed. Seen to fail ("tablespace is not
    // empty", and the mount stayed) without the move, once a test had failed.
    await move(archiver().database.name, 'pg_default');
    await asAdmin((sql) => sql.unsafe(`drop tablespace ${TABLESPACE}`));
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  });

  return {
    onSmallDisk: testIf(mounted, 'a file system that can be mounted'),
    whileFull: async (left, work) => {
      fill(left);
      const refill = setInterval(() => fill(left), 10);
      try {
        return await work();
      } finally {
        clearInterval(refill);
        truncateSync(ballast);
      }
    },
  };
}

function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
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
async function move(name: string, tablespace: string): Promise<void> {
  await asAdmin(async (sql) => {
    if ((await sql`select from pg_database where datname = ${name}`).length === 0) return;
    // Not even autovacuum may be in it, and none comes while no connection is allowed.
    await sql`alter database ${sql(name)} with allow_connections false`;
    await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = ${name}`;
    await sql`alter database ${sql(name)} set tablespace ${sql(tablespace)}`;
    await sql`alter database ${sql(name)} with allow_connections true`;
  });
}
