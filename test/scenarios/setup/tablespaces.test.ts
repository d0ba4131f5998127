/** Tablespaces that the archiver's roles have no rights on, or that are gone. */
import { expect } from '@jest/globals';
import { connect } from '../../../adapters/postgres/connect.ts';
import { installArchiver } from '../../../adapters/postgres/install.ts';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { rowsOf } from '../../support/archives.ts';
import { stack } from '../../support/stack.ts';
import { testSince } from '../../support/test-if.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
// Before 15 a tablespace needs a folder on the server.
const since15 = testSince(15);

async function createTablespace(sql: postgres.Sql, tablespace: string): Promise<void> {
  const session = await sql.reserve();
  try {
    await session`set allow_in_place_tablespaces = on`;
    await session`create tablespace ${session(tablespace)} location ''`;
  } finally {
    session.release();
  }
}

// Seen to fail without default_tablespace in db/schema/settings.sql (installing: permission denied for tablespace), and without the
// look at it in preflight() of db/archive/preflight.sql (maintenance fails in each run).
since15(
  'the archiver is installed outside of it, and preflight lists the grant for new partitions',
  async () => {
    const { run, config, database } = archiver();
    const { sql, name } = database;
    const tablespace = `fast_${name.slice(-8)}`;
    await createPartitionSet(sql, { months: 3, rowsPerMonth: 10 });
    await createTablespace(sql, tablespace);
    await sql`alter database ${sql(name)} set default_tablespace = ${sql(tablespace)}`;
    // A new session has it.
    const administrator = connect({
      ...stack().postgres,
      ...stack().postgres.superuser,
      database: name,
      tls: false,
      applicationName: 'test',
    });
    await installArchiver(administrator);
    await administrator.end();
    const settings = config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
    try {
      const failure = await failureOf(run(settings));
      expect(failure.message).toBe(
        `role archiver_maintain: may not create partitions in tablespace ${tablespace}, which default_tablespace names. grant create on tablespace ${tablespace} to archiver_maintain;`,
      );
    } finally {
      await sql`alter database ${sql(name)} reset default_tablespace`;
      await sql`drop tablespace ${sql(tablespace)}`;
    }
    expect(await run(settings)).toMatchObject({ archived: 1, dropped: 1 });
  },
);

// Seen to fail without missing_tablespaces() in db/archive/rights-to-restore.sql: preflight said nothing, the partition was
// detached and then blocked without a remedy (DdlNotReproducible, 42501), each maintenance of a set whose parent is in a
// tablespace failed, and no restore was possible.
since15(
  'partitions, indexes and parents in tablespaces: preflight lists the grants, and archives come back without them',
  async () => {
    const { run, config, database, operations } = archiver();
    const { sql, name } = database;
    const [cold, fast, next, rest] = ['cold', 'fast', 'next', 'rest'].map(
      (each) => `${each}_${name.slice(-8)}`,
    ) as [string, string, string, string];
    for (const each of [cold, fast, next, rest]) await createTablespace(sql, each);
    await createPartitionSet(sql, { table: 'moved', months: 4, rowsPerMonth: 20, retention: '2 months' });
    const parts = await sql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.moved'::regclass order by 1`;
    const names = parts.map((part) => part.name).filter((part) => !part.endsWith('_default'));
    const [first, second] = names as [string, string];
    const before = await rowsOf(sql, first);
    // The second one has its index elsewhere; new partitions go to a third place. Seen to fail where the default partition, which
    // is never archived, had to be in a place that the roles may use.
    await sql.unsafe(`
      alter table ${first} set tablespace ${cold};
      alter table app.moved_default set tablespace ${rest};
      alter index ${second}_ts_idx set tablespace ${fast};
      alter table app.moved set tablespace ${next};
      update partman.part_config set premake = 4 where parent_table = 'app.moved'`);
    const set = config([{ schema: 'app', table: 'moved', drop: true, graceDays: 0 }]);
    const failure = await failureOf(run(set));
    expect(failure.code).toBe('PreflightFailed');
    const needs = (each: string): string =>
      `app.moved: archiver_trial and archiver_restore may not use tablespace ${each}, which restoring a partition needs. grant create on tablespace ${each} to archiver_trial, archiver_restore;`;
    expect(failure.message.split('\n')).toEqual([
      needs(cold),
      needs(fast),
      `app.moved: archiver_trial and archiver_restore and archiver_maintain may not use tablespace ${next}, which making or restoring a partition needs. grant create on tablespace ${next} to archiver_trial, archiver_restore, archiver_maintain;`,
    ]);
    for (const line of failure.message.split('\n')) await sql.unsafe(line.replace(/^.*needs\. /, ''));
    expect(await run(set)).toMatchObject({ archived: 2, dropped: 2, failed: 0 });

    const { archives } = await operations().find({ schema: 'app', table: 'moved' });
    const keys = archives.map((archive) => archive.manifestKey) as [string, string];
    const placed = async (table: string): Promise<unknown> =>
      sql`select k.relkind::text as kind, t.spcname as tablespace from pg_class k join pg_tablespace t on t.oid = k.reltablespace
           where k.oid = ${table}::regclass or k.oid in (select indexrelid from pg_index where indrelid = ${table}::regclass)`;
    expect(await operations().restore({ manifestKey: keys[0] })).toMatchObject({ warnings: [], unmade: [] });
    expect(await placed(first)).toEqual([{ kind: 'r', tablespace: cold }]);
    expect(await operations().restore({ manifestKey: keys[1] })).toMatchObject({ warnings: [], unmade: [] });
    expect(await placed(second)).toEqual([{ kind: 'i', tablespace: fast }]);

    // Without the right, and without the tablespace.
    await sql.unsafe(
      `drop table ${first}, ${second}; revoke create on tablespace ${cold} from archiver_restore`,
    );
    const denied = await failureOf(operations().restore({ manifestKey: keys[0] }));
    expect(denied).toMatchObject({
      code: 'DependencyMissing',
      message: `tablespace ${cold} may not be used by archiver_restore: grant create on tablespace ${cold} to archiver_restore;`,
    });
    await sql.unsafe(`drop tablespace ${cold}`);
    await sql.unsafe(`drop tablespace ${fast}`);
    expect(await failureOf(operations().restore({ manifestKey: keys[0] }))).toMatchObject({
      code: 'DependencyMissing',
      message: `tablespace ${cold} is missing; how it was made is not in the archive`,
    });
    expect(await operations().restore({ manifestKey: keys[0], acceptIncomplete: true })).toMatchObject({
      rows: 20,
      unmade: [{ code: '42704', statement: `ALTER TABLE ${first} SET TABLESPACE ${cold}` }],
    });
    expect(await rowsOf(sql, first)).toEqual(before);
    expect(await operations().restore({ manifestKey: keys[1], acceptIncomplete: true })).toMatchObject({
      rows: 20,
      unmade: [{ code: '42704', statement: `ALTER INDEX ${second}_ts_idx SET TABLESPACE ${fast}` }],
    });
    await sql.unsafe(`drop table app.moved, partman.template_app_moved cascade`);
    await sql.unsafe(`drop tablespace ${next}`);
    await sql.unsafe(`drop tablespace ${rest}`);
  },
);
