/**
 * What may be upgraded after a major upgrade, and what not. test/versions/major-upgrade.test.ts upgrades a server; here the
 * rows are given another identifier, with one thing besides that an upgrade does not do; each in a transaction of its own.
 */
import { describe, expect, test } from '@jest/globals';
import type { HalfState } from '../../support/half-archived.ts';
import { useUpgradedLedger } from '../../support/upgraded-ledger.ts';
import { failureOf } from '../../support/verified.ts';

const moving = useUpgradedLedger();
const { archiver, half, movedAfter } = moving;
const table = (state: HalfState): string => `app."${half(state).table}"`;
const inQuarantine = (state: HalfState): string =>
  `partition_archiver_quarantine."${half(state).quarantineName ?? ''}"`;

describe('refused, and nothing is moved:', () => {
  // Seen to fail without `v_matching = 0` in check_upgrade().
  test('a copy by dump or replication, where no table has its OID', async () => {
    const others = 'update partition_archiver.partition set table_oid = (table_oid::bigint + 1000000)::oid';
    await expect(movedAfter(others)).rejects.toThrow(
      /^this is not the database .* of the system .* which keep the OIDs of tables: .* had oid \d+ and has \d+.*"forget": true/,
    );
    const gone = `${others}, table_name = 'gone_' || id, quarantine_name = null, archive_id = null where state not in
      ('quarantined', 'exported', 'verified', 'blocked')`;
    await expect(
      movedAfter(`${gone}; delete from partition_archiver.segment; update partition_archiver.partition set state = 'missing',
        blocked_reason = null where state in ('quarantined', 'exported', 'verified', 'blocked')`),
    ).rejects.toThrow('none of its tables is here');
  });

  // Seen to fail without `v_others is not null` there: the new table is nowhere in the ledger, and archived as any other.
  test('a single table that is another one under the same name', async () => {
    await expect(
      movedAfter(`alter table ${table('restored')} rename to away; create table ${table('restored')} ()`),
    ).rejects.toThrow(
      new RegExp(`${half('restored').table} had oid ${String(half('restored').oid)} and has`),
    );
  });

  // Seen to fail (the inventory takes the rows for its own) without the OID of the database in mismatched_rows().
  test('a dump that was loaded into a new database of the old name, on the same server', async () => {
    const reloaded = `update partition_archiver.partition set system_identifier = partition_archiver.system_identifier(),
      database_oid = 1, table_oid = (table_oid::bigint + 1000000)::oid`;
    const ours = archiver().database.sql.begin(async (tx) => {
      await tx.unsafe(reloaded);
      await tx`select partition_archiver.record_inventory('app.event'::regclass::oid, 'UTC')`;
    });
    await expect(ours).rejects.toThrow(/of an earlier database .* this one was made under its name/);
    const [{ system }] = await archiver().database.sql<[{ system: string }]>`
      select partition_archiver.system_identifier()::text as system`;
    const moving = archiver().database.sql.begin(async (tx) => {
      await tx.unsafe(reloaded);
      await tx`select partition_archiver.upgrade_ledger(${system}::bigint, false, current_database())`;
    });
    await expect(moving).rejects.toThrow('"forget": true');
  });

  // Seen to fail without the look at pg_subscription_rel there.
  test('a ledger that a subscription feeds', async () => {
    await expect(
      movedAfter(`insert into pg_subscription_rel (srsubid, srrelid, srsubstate)
        values (1, 'partition_archiver.partition'::regclass, 'r')`),
    ).rejects.toThrow('a subscription still feeds the ledger');
  });

  // Seen to fail without the first half of the check there: a table that was restored is archived and dropped.
  test('to forget rows whose tables are here', async () => {
    await expect(movedAfter('', { forget: true })).rejects.toThrow(/tables of the database .* found here/);
  });

  test('by a role that has no business with it', async () => {
    const read = archiver().open('archiver_read');
    await expect(read`select * from partition_archiver.upgrade_ledger(1, false, 'any')`).rejects.toThrow(
      'permission denied',
    );
    await read.end();
  });
});

describe('upgraded, as it is found:', () => {
  // Seen to fail without the update of dropped rows in upgrade_ledger(): no later Convert lists or withdraws their archives.
  test.each([
    ['this database', 'database_oid', true],
    ['an earlier database of its name', '1', false],
  ])('what was dropped from %s', async (_, oid, follows) => {
    const systems: string[] = [];
    await movedAfter(
      `update partition_archiver.partition set state = 'dropped', database_oid = ${oid} where state = 'verified'`,
      {
        look: async (tx) => {
          const rows = await tx<{ system: string }[]>`
            select system_identifier::text as system from partition_archiver.partition where id = ${half('verified').id}`;
          systems.push(...rows.map(({ system }) => system));
        },
      },
    );
    expect(systems).toEqual([follows ? moving.system() : moving.from()]);
  });

  test('a table that is gone', async () => {
    const moved = await movedAfter(`drop table ${table('detached')}; drop table ${inQuarantine('blocked')}`);
    expect(moved('detached')).toMatchObject({ state: 'missing', remark: 'its table is gone' });
    expect(moved('blocked')).toMatchObject({ state: 'blocked', code: 'ContentMismatch' });
    expect(moved('restored')).toMatchObject({ state: 'restored' });
  });

  test('a restored table that was renamed', async () => {
    const moved = await movedAfter(`alter table ${table('restored')} rename to kept`);
    expect(moved('restored')).toMatchObject({
      state: 'restored',
      remark: 'no run archives it, as before; it is called app.kept now',
    });
  });

  // Seen to fail (quarantined, and exported by columns that it has no more) without altered_columns() in reset_quarantine(), or
  // (fenced, though its owner may lift the fence) without the look at the owner there.
  test('a table in quarantine that was renamed, altered or given away', async () => {
    const moved = await movedAfter(`
      alter table ${inQuarantine('quarantined')} rename to away;
      alter table ${inQuarantine('exported')} alter column payload type varchar(100);
      alter table ${inQuarantine('blocked')} owner to app_owner`);
    expect(moved('quarantined')).toMatchObject({
      state: 'blocked',
      code: 'IdentityChanged',
      remark: expect.stringMatching(/is partition_archiver_quarantine.away now/),
    });
    expect(moved('exported')).toMatchObject({
      state: 'blocked',
      code: 'SealBroken',
      remark: expect.stringMatching(/column payload/),
    });
    expect(moved('blocked')).toMatchObject({
      state: 'blocked',
      code: 'SealBroken',
      remark: expect.stringMatching(/belongs to app_owner/),
    });
  });

  test('a table that the server before had in quarantine and this one has not', async () => {
    const out = (state: HalfState): string => `alter table ${inQuarantine(state)} set schema app;
      alter table app."${half(state).quarantineName!}" rename to "${half(state).table}";`;
    const moved = await movedAfter(out('quarantined') + out('verified'), {
      look: async (tx) => {
        expect(
          await tx`select from partition_archiver.segment where archive_id = ${half('verified').archiveId}`,
        ).toEqual([]);
      },
    });
    for (const state of ['quarantined', 'verified'] as const) {
      expect(moved(state)).toMatchObject({
        state: 'released',
        archiveId: null,
        remark: expect.stringMatching(/not in quarantine here/),
      });
    }
  });

  // Seen to fail (dropped, by the seal of the server before) without the seal's `fence` taken away in upgrade_ledger().
  test('a verified one, whose seal counts no more even where the catalog looks the same', async () => {
    const moved = await movedAfter('', {
      look: async (tx) => {
        await tx`update partition_archiver.partition set state = 'verified', blocked_code = null, blocked_reason = null,
          drop_after = now() where id = ${half('verified').id}`;
        await expect(
          tx.savepoint(
            (sp) =>
              sp`select partition_archiver.drop_verified(${half('verified').id}, ${half('verified').manifestVersionId})`,
          ),
        ).rejects.toThrow('fence changed since the quarantine');
      },
    });
    expect(moved('verified')).toMatchObject({ state: 'blocked', code: 'SealBroken' });
  });

  test('what an earlier release recorded again after an upgrade gives way, unless something was done with it', async () => {
    const again = (state: HalfState, as: string): string => `
      insert into partition_archiver.partition (system_identifier, database_name, table_oid, table_schema, table_name, parent_oid,
          parent_schema, parent_name, control_column, control_kind, bounds, lower_bound, upper_bound, period, attach_statement, state)
        select partition_archiver.system_identifier(), database_name, table_oid, table_schema, table_name, parent_oid, parent_schema,
          parent_name, control_column, control_kind, bounds, lower_bound, upper_bound, period, attach_statement, '${as}'
          from partition_archiver.partition where id = ${String(half(state).id)};`;
    const moved = await movedAfter(again('restored', 'detached') + again('released', 'released'), {
      look: async (tx) => {
        const twice = await tx`select table_oid from partition_archiver.partition
          where state not in ('dropped', 'missing') group by table_oid having count(*) > 1`;
        expect(twice).toEqual([]);
      },
    });
    expect(moved('restored')).toMatchObject({ state: 'restored' });
    expect(moved('released')).toMatchObject({
      state: 'missing',
      remark: expect.stringMatching(/recorded after it/),
    });
  });

  // Seen to fail without a new archive id in reset_quarantine().
  test('the fence stands again, every segment is to be exported, and the trail says who did it', async () => {
    const moved = await movedAfter('', {
      look: async (tx) => {
        for (const state of ['quarantined', 'exported', 'blocked'] as const) {
          const { id } = half(state);
          const [now] = await tx`
            select l.seal = partition_archiver.seal_of(l.table_oid) as sealed, l.exported_at as exported,
                   (select array_agg(s.state) from partition_archiver.segment s where s.archive_id = l.archive_id) as segments,
                   (select note from partition_archiver.event e where e.partition_id = l.id order by e.id desc limit 1) as note
              from partition_archiver.partition l where id = ${id}`;
          expect(now).toMatchObject({ sealed: true, exported: null, segments: ['planned'] });
          expect(now?.['note']).toContain(`of the system ${moving.from()}: `);
        }
        expect(
          await tx`select * from partition_archiver.upgrade_ledger(${moving.from()}::bigint, false, current_database())`,
        ).toEqual([]);
      },
    });
    for (const state of ['quarantined', 'exported', 'blocked'] as const) {
      expect(moved(state)?.archiveId).not.toBe(half(state).archiveId);
    }
  });
});

test('forgotten: the rows of tables that were copied are missing, and say whose table is not looked after', async () => {
  const moved = await movedAfter(
    'update partition_archiver.partition set table_oid = (table_oid::bigint + 1000000)::oid',
    {
      forget: true,
      look: async (tx) => {
        expect(await tx`select * from partition_archiver.identity_mismatches()`).toEqual([]);
        await tx`select * from partition_archiver.record_inventory('app.event'::regclass::oid, 'UTC')`;
      },
    },
  );
  expect(moved('attached')).toMatchObject({ state: 'missing', remark: 'forgotten' });
  expect(moved('restored')).toMatchObject({
    state: 'missing',
    remark: expect.stringMatching(/taken for any other/),
  });
  expect(moved('quarantined')).toMatchObject({
    state: 'missing',
    remark: expect.stringMatching(/no step looks after it/),
  });
});

test('nothing is recorded or adopted while there are rows of another system', async () => {
  const { sql } = archiver().database;
  await sql`update partition_archiver.partition set system_identifier = ${moving.from()}::bigint where id = ${half('restored').id}`;
  const stopped = `has 1 partition of this database on the system ${moving.from()}`;
  await expect(
    sql`select partition_archiver.adopt(${half('restored').oid}, 'app.event'::regclass::oid, '2001-01-01', '2001-02-01', 'UTC')`,
  ).rejects.toThrow(stopped);
  await expect(
    sql`select partition_archiver.record_inventory('app.event'::regclass::oid, 'UTC')`,
  ).rejects.toThrow(stopped);

  const { operations } = archiver();
  const mistaken = await failureOf(operations().upgradeLedger({ from: '42', database: null, forget: false }));
  expect(mistaken).toMatchObject({
    code: 'InvalidInput',
    message: `the ledger has no live rows of the system 42; it has some of database ${archiver().database.name} of the system ${moving.from()}`,
  });
  // Not one of its tables would be left if this one were gone, too.
  expect(
    await operations().upgradeLedger({ from: moving.from(), database: null, forget: false }),
  ).toMatchObject({
    summary: `1 row of the system ${moving.from()} upgraded: 1 restored`,
  });
});
