/** A partition set that pg_partman 4 made, after the extension was upgraded to 5: old and new names side by side. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { useArchiver } from '../support/archiver.ts';
import { extensionFolder } from '../../local/stack/installation.ts';
import { registerOwner } from '../../adapters/postgres/install.ts';
import { createPartitionSet } from '../support/partition-sets.ts';
import { partmanMajor } from '../support/partman.ts';
import { withRoleRetries } from '../support/roles.ts';
import { testInstallation } from '../support/stack.ts';
import { testIf } from '../support/test-if.ts';

const archiver = useArchiver();

/** The last version 4 in Debian; the matrix puts its script beside those of the newer servers' packages. */
const OLD = '4.7.2';

/** The packages of Debian 13 and later have only the scripts that lead on from it. */
function offers(version: string): boolean {
  return existsSync(join(extensionFolder(testInstallation()), `pg_partman--${version}.sql`));
}

// Seen to fail without: the checks of pg_partman's grants in db/archive/preflight-database.sql.
testIf(offers(OLD), `the script of pg_partman ${OLD}`)(
  'old and new child names in one set: bounds decide, and no name',
  async () => {
    const { database, run, config } = archiver();
    const { sql } = database;
    const [offered] = await sql<{ version: string }[]>`
    select default_version as version from pg_available_extensions where name = 'pg_partman'`;
    await sql`drop extension pg_partman`;
    await sql.unsafe(`create extension pg_partman schema partman version '${OLD}'`);
    await createPartitionSet(sql, { months: 5 });

    await sql.unsafe(`alter extension pg_partman update to '${offered?.version ?? ''}'`);
    // An upgraded set keeps the names that it had, until somebody sets the new ones.
    await sql`update partman.part_config set datetime_string = 'YYYYMMDD'`;
    const [dropped] = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c
     where c.oid = to_regclass('app.event_p' || to_char(date_trunc('month', now()) - interval '4 months', 'YYYY_MM'))`;
    await sql.unsafe(`drop table app."${dropped?.name ?? ''}"`);
    await sql`
    select partman.create_partition_time('app.event', array[date_trunc('month', now()) - interval '4 months'])`;
    await sql.unsafe(`
    insert into app.event select g, date_trunc('month', now()) - interval '4 months' + interval '1 hour', 'new name'
      from generate_series(1, 500) g`);
    const names = await sql<{ name: string }[]>`
    select relname as name from pg_class c join pg_inherits i on i.inhrelid = c.oid
     where i.inhparent = 'app.event'::regclass order by relname`;
    const [renewed] = names.filter(({ name }) => /_p\d{8}$/.test(name));
    await sql.unsafe(`alter table app."${renewed?.name ?? ''}" owner to app_owner`);
    expect(names.filter(({ name }) => /_p\d{4}_\d{2}$/.test(name)).length).toBeGreaterThanOrEqual(4);

    const settings = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
    if ((await partmanMajor(sql)) < 5) {
      // Version 4 cuts times out of names; it refuses to maintain the set. What is past the retention leaves all the same.
      await expect(run(settings)).rejects.toThrow(/maintenance of app.event: invalid value/);
      const rows = await sql<{ rows: number }[]>`select count(*)::integer as rows from app.event`;
      expect(rows[0]?.rows).toBe(2000);
      return;
    }
    // The upgrade made pg_partman's tables again, and what was granted on them is gone.
    await expect(run(settings)).rejects.toThrow(
      /role archiver_owner: may not read the configuration.*role archiver_maintain: may not use pg_partman/s,
    );
    await withRoleRetries(() => registerOwner(sql, 'app_owner', ['app']));

    const report = await run(settings);

    // Past two months of retention: one month of 500 rows with a new name, two of 1000 with old ones.
    expect(report).toMatchObject({ archived: 3, dropped: 3, failed: 0, rows: 2500 });
    const periods = report.partitions.map(({ partition, period, rows }) => ({
      isNew: /_p\d{8}$/.test(partition),
      period,
      rows,
    }));
    expect(periods.map(({ isNew, rows }) => [isNew, rows])).toEqual([
      [false, 1000],
      [true, 500],
      [false, 1000],
    ]);
    expect(periods.every(({ period }) => /^\d{6}$/.test(period))).toBe(true);
    expect(new Set(periods.map(({ period }) => period)).size).toBe(3);
    expect(await partmanMajor(sql)).toBe(Number(offered?.version.split('.')[0]));
  },
);
