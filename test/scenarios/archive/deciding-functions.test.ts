/**
 * What the functions that decide refuse, asked directly: the steps look before they ask, so that most of this can only be
 * met by two executions at once, by an operator's hand, or by a mistake in a step.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { useAsking } from '../../support/asking.ts';
import { nth, type LedgerLine } from '../../support/ledger.ts';
import { dropWithout } from '../../support/verified.ts';
import { untilSomebodyWaits } from '../../support/waiting.ts';

const { sql, bring, ask, change } = useAsking();

describe('a verified partition', () => {
  let id = 0;
  let line: () => Promise<LedgerLine>;
  beforeAll(async () => {
    ({ id, line } = await bring('proven', 'verified'));
  });

  const dropAfter = async (): Promise<Date> =>
    nth(
      await sql()<{ at: Date }[]>`select drop_after as at from partition_archiver.partition where id = ${id}`,
      0,
    ).at;

  test('keeps its grace period, and is not evident before it is over', async () => {
    const before = await dropAfter();
    expect(before.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    await sql()`select partition_archiver.schedule_drop(${id}, 0)`;
    expect(await dropAfter()).toEqual(before);
    expect(await ask(`drop_evidence(${id})`)).toMatch(/^PA007 the grace period of partition \d+ ends at \d/);
    // Seen to fail before: "partition 1 is not due: verified until an operator or the configuration asks for it".
    await change(id, `drop_after = null`);
    expect(await ask(`drop_evidence(${id})`)).toMatch(
      /^PA007 partition \d+ has no scheduled drop: its set had "drop": false when it was verified/,
    );
    await change(id, `drop_after = now()`);
    expect(await ask(`drop_evidence(${id})`)).toMatch(/^returns/);
    await change(id, `state = 'exported'`);
    expect(await ask(`drop_evidence(${id})`)).toMatch(
      /^PA007 partition \d+ is exported, and only a verified partition is dropped/,
    );
    await change(id, `state = 'verified'`);
    expect(await ask(`is_dropped(${id})`)).toBe('returns false');
    expect(await ask(`begin_segment(${id}, 0, false)`)).toMatch(
      /^PA001 partition \d+ is verified, not quarantined/,
    );
  });

  test('comes out of a block as what it was', async () => {
    const unblocked = async (set: string, blockedState: string): Promise<string> =>
      sql().begin(async (tx) => {
        await tx.unsafe(set);
        await tx`update partition_archiver.partition
                    set state = 'blocked', blocked_state = ${blockedState}, blocked_reason = 'look' where id = ${id}`;
        const [row] = await tx<[{ state: string }]>`select partition_archiver.unblock(${id}) as state`;
        await tx`rollback and chain`;
        return row.state;
      });
    const segments = (state: string): string =>
      `update partition_archiver.segment set state = '${state}' where archive_id = (select archive_id from partition_archiver.partition where id = ${id}) and number = 1`;
    expect(await unblocked('select', 'verified')).toBe('verified');
    expect(await unblocked('select', 'exported')).toBe('exported');
    expect(await unblocked(segments('planned'), 'exported')).toBe('quarantined');
    expect(
      await unblocked(
        `update partition_archiver.partition set quarantine_name = null where id = ${id}`,
        'detached',
      ),
    ).toBe('detached');
  });

  test('is committed with the manifest of its own segments only', async () => {
    const { archiveId } = await line();
    const [sum] = await sql()<{ rows: number; bytes: number }[]>`
      select sum(row_count)::integer as rows, sum(byte_count)::integer as bytes from partition_archiver.segment where archive_id = ${archiveId}`;
    await change(id, `state = 'exported'`);
    const commit = (archive: string, rows: number, bytes: number): Promise<string> =>
      ask(`commit_archive(${id}, ${archive}, 'k', 'v', 's', ${rows}, ${bytes}, 1)`);
    const own = `'${String(archiveId)}'`;
    const refused = /^PA008 the manifest of partition \d+ is not that of its verified segments/;
    expect(await commit('gen_random_uuid()', sum!.rows, sum!.bytes)).toMatch(refused);
    expect(await commit(own, sum!.rows + 1, sum!.bytes)).toMatch(refused);
    expect(await commit(own, sum!.rows, sum!.bytes + 1)).toMatch(refused);
    expect(await commit(own, sum!.rows, sum!.bytes)).toBe('returns ');
    expect(await ask(`begin_commit(${id})`)).toMatch(/^returns \{.*"segments": /);
    // Seen to fail without each of the three: the state, the archive and the number of rows.
    const counted = (archive: string, before?: string): Promise<string> =>
      ask(`count_whole(${id}, ${archive})`, before === undefined ? {} : { before });
    expect(await counted(own)).toBe('returns ');
    expect(await counted('gen_random_uuid()')).toMatch(/^PA001 partition \d+ is not exported as archive/);
    const set = (table: string, what: string): string =>
      `update partition_archiver.${table} set ${what} where archive_id = ${own}`;
    expect(await counted(own, set('partition', `state = 'verified'`))).toMatch(/^PA001/);
    expect(await counted(own, set('segment', 'row_count = row_count + number'))).toMatch(
      /^PA003 the segments of partition \d+ have 20001 rows, but the table has 20000/,
    );
    // Nor with DDL that does not work. Seen to fail without try_ddl() in begin_commit().
    const before = `update partition_archiver.partition set ddl = replace(ddl::text, 'CREATE TABLE', 'CREATE TABEL')::jsonb where id = ${id}`;
    expect(await ask(`begin_commit(${id})`, { before })).toMatch(
      /^PA011 statement 1 of \d+ of the archived DDL/,
    );
    // Nor once somebody has changed the table since the evidence was taken.
    await sql().unsafe(
      `alter table partition_archiver_quarantine."${String((await line()).quarantineName)}" set (fillfactor = 90)`,
    );
    await sql().unsafe(
      `alter table partition_archiver_quarantine."${String((await line()).quarantineName)}" rename payload to other`,
    );
    // Before a manifest is written, and when it is recorded. Seen to fail without assert_sealed() in begin_commit().
    expect(await ask(`begin_commit(${id})`)).toMatch(/^PA003 .* columns changed/);
    expect(await commit(own, sum!.rows, sum!.bytes)).toMatch(/^PA003 .* columns changed/);
    await sql().unsafe(
      `alter table partition_archiver_quarantine."${String((await line()).quarantineName)}" rename other to payload`,
    );
    await change(id, `state = 'verified'`);
  });

  // What only DROP TABLE itself would find: the look before it has to be taken out for that (hazard 45).
  test('is not dropped together with what somebody made to depend on it', async () => {
    await change(id, `drop_after = now()`);
    const { quarantineName } = await line();
    await sql().unsafe(
      `create view app.onto as select * from partition_archiver_quarantine."${String(quarantineName)}"`,
    );
    const blind = [/if v_dependents is not null then/, 'if false then'] as const;
    await expect(dropWithout(sql(), blind, await line())).rejects.toMatchObject({ code: '2BP01' });
    await sql()`drop view app.onto`;
  });

  test('is dropped once: the second session is told so, and does not take it for gone', async () => {
    const { manifestVersionId } = await line();
    const drop = `drop_verified(${id}, '${String(manifestVersionId)}')`;
    let second: Promise<string> | undefined;
    await sql().begin(async (tx) => {
      await tx.unsafe(`select partition_archiver.${drop}`);
      // Longer than deadlock_timeout, so that autovacuum gives way; a quarter of it elsewhere.
      const [setting] = await tx`show lock_timeout`;
      expect(setting).toEqual({ lock_timeout: '1500ms' });
      second = ask(drop);
      await untilSomebodyWaits(sql());
    });
    expect(await second).toMatch(/^PA001 partition \d+ is dropped, not verified/);
    const { quarantineName } = await line();
    expect(await sql()`select from pg_class where relname = ${quarantineName}`).toHaveLength(0);
  });

  test('once dropped is neither blocked nor said to have failed', async () => {
    expect(await ask(`is_dropped(${id})`)).toBe('returns true');
    expect(await ask(`block(${id}, 'SealBroken', 'look')`)).toMatch(/^PA001 partition \d+ is dropped/);
    await sql()`select partition_archiver.record_failure(${id}, 'ExportFailed', 'late')`;
    const [row] = await sql()`select state, failed_at from partition_archiver.partition where id = ${id}`;
    expect(row).toEqual({ state: 'dropped', failed_at: null });
  });
});

test('what is no partition set has no inventory', async () => {
  await sql()`create table app.plain (ts timestamptz)`;
  const [plain] = await sql()<{ oid: number }[]>`select 'app.plain'::regclass::oid as oid`;
  expect(await ask(`record_inventory(${plain!.oid}, 'UTC')`)).toMatch(
    /^PA010 table with oid \d+ is not a range partition set of pg_partman with one control column/,
  );
});
