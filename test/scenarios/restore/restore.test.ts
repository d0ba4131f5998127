import { describe, expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { useDatabase } from '../../support/database.ts';
import { contents, HOSTILE, hostilePartition } from '../../support/hostile.ts';
import { failureOf } from '../../support/verified.ts';
import { dump, qualified, type TableName } from '../../db/ddl/support.ts';

const archiver = useArchiver();
const elsewhere = useDatabase({ template: 'archiver' });

describe('a hostile table', () => {
  let table: TableName;
  let before: { dump: string; contents: string };
  let manifestKey: string;

  test('is archived and dropped, and comes back as it was', async () => {
    const { database, run, config, operations } = archiver();
    const set = config([
      { schema: HOSTILE.schema, table: HOSTILE.table, drop: true, graceDays: 0, segmentSizeMiB: 1 },
    ]);
    table = await hostilePartition(database.sql, () => run(set, { only: 'inventory' }));
    before = { dump: await dump(database, table), contents: await contents(database.sql, table) };
    const report = await run(set);
    expect(report).toMatchObject({ failed: 0, dropped: 2 });

    const found = await operations().find({ schema: HOSTILE.schema, table: HOSTILE.table });
    expect(found).toMatchObject({ unreadable: [], archives: [{ rows: 3000 }, { rows: 3000 }] });
    manifestKey = found.archives[0]!.manifestKey;
    expect(await operations().audit(manifestKey, 'all')).toMatchObject({ intact: true, problems: [] });

    const restored = await operations().restore({ manifestKey });
    expect(restored).toMatchObject({ rows: 3000, warnings: [] });
    expect(await contents(database.sql, table)).toBe(before.contents);
    expect(await dump(database, table)).toBe(before.dump);
  });

  test('is known to the ledger as restored, and no run archives it again until it is released', async () => {
    const { database, run, config, operations } = archiver();
    const set = config([{ schema: HOSTILE.schema, table: HOSTILE.table }]);
    const [row] = await database.sql<{ id: string; state: string }[]>`
      select id, state from partition_archiver.partition where table_oid = ${qualified(table)}::regclass`;
    expect(row).toMatchObject({ state: 'restored' });
    expect(await run(set)).toMatchObject({ archived: 0, failed: 0 });
    expect(await contents(database.sql, table)).toBe(before.contents);

    // Running the restore again finds that it is done.
    expect(await operations().restore({ manifestKey })).toMatchObject({ partitionId: Number(row!.id) });

    expect(await operations().resume(Number(row!.id))).toMatchObject({ state: 'detached' });
    expect(await run(set)).toMatchObject({ archived: 1, failed: 0, rows: 3000 });
    const { archives } = await operations().find({ ...HOSTILE, to: '2999' });
    // Two archives of one period now; the later one comes last.
    expect(archives.map(({ period }) => period).filter((each) => each === archives[0]!.period)).toHaveLength(
      2,
    );

    // Verified and not dropped: released to its owner, it is what it was.
    expect(await operations().release(Number(row!.id))).toMatchObject({ state: 'released' });
    expect(await operations().release(Number(row!.id))).toMatchObject({ state: 'released' });
    expect(await contents(database.sql, table)).toBe(before.contents);
  });

  test('comes back under another name beside it, with names of its own for its indexes', async () => {
    const { database, operations } = archiver();
    const again = { schema: HOSTILE.schema, table: 'once "more"' };
    const restored = await operations().restore({ manifestKey, ...again, foreignKeys: false, grants: false });
    expect(restored.warnings).toEqual(
      expect.arrayContaining([expect.stringContaining('the name was taken')]),
    );
    const name = { schema: again.schema, name: again.table };
    expect(await contents(database.sql, name)).toBe(before.contents);
    expect(
      await database.sql`select from pg_constraint where conrelid = ${qualified(name)}::regclass and contype = 'f'`,
    ).toHaveLength(0);
    // The grants of the first one are not this one's.
    expect(
      await database.sql`select from pg_attribute where attrelid = ${qualified(name)}::regclass and attacl is not null`,
    ).toHaveLength(0);
  });

  test('comes back in a database that never saw it, once what is missing was made', async () => {
    const { open, operations } = archiver();
    const { sql, name: databaseName } = elsewhere();
    const there = operations({ open: (role) => open(role, [], databaseName) });

    const failure = await failureOf(there.restore({ manifestKey, foreignKeys: false, grants: false }));
    expect(failure.code).toBe('DependencyMissing');
    // Types in a schema that is missing, with their definitions; not the table of the foreign key that nobody asked for.
    expect(failure.message).toContain(`create schema "Weird ""app" authorization "Weird owner";`);
    expect(failure.message).toContain(`CREATE TYPE "Weird ""app"."Mo'od" AS ENUM ('so so', 'it''s "fine"');`);
    expect(failure.message).toContain(`CREATE DOMAIN "Weird ""app".positive`);
    expect(failure.message).toContain(
      'function "Weird ""app".shout() is missing; how it was made is not in the archive',
    );
    expect(failure.message).not.toContain('customer');
    expect(
      await sql`select from pg_class where relnamespace = 'partition_archiver_restore'::regnamespace`,
    ).toHaveLength(0);

    // All at once, each once, in an order in which they can be run. Seen to fail on a9b8896: two rounds, the schema last.
    const lines = failure.message.split('\n');
    const statements = lines.flatMap((line) => /: ((?:create|select|grant) .*;)$/i.exec(line)?.[1] ?? []);
    expect(statements).toEqual([...new Set(statements)]);
    expect(lines.length - statements.length).toBe(1);
    for (const statement of statements) await sql.unsafe(statement);
    await sql.unsafe(
      `create function "Weird ""app".shout() returns trigger language plpgsql as 'begin return new; end'`,
    );

    await there.restore({ manifestKey, foreignKeys: false, grants: false });
    expect(await contents(sql, table)).toBe(before.contents);
    const [row] = await sql<{ owner: string; state: string }[]>`
      select pg_get_userbyid(relowner) as owner, state from pg_class join partition_archiver.partition on table_oid = pg_class.oid`;
    expect(row).toEqual({ owner: HOSTILE.owner, state: 'restored' });
  });
});
