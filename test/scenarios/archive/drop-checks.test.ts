import { expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { useArchiver } from '../../support/archiver.ts';
import { nth, type LedgerLine } from '../../support/ledger.ts';
import { createVerifiedPartitions, dropWithout, failureOf } from '../../support/verified.ts';

/** What the ledger, and not the table, says against a drop; undone afterwards. */
interface Objection {
  readonly name: string;
  /** SQL of a change to the ledger row; `undefined` where the call itself is wrong. */
  readonly set: string;
  readonly undo: string;
  readonly code: string;
  readonly message: RegExp;
  /** Checks cut out of db/archive/drop.sql; then the partition is dropped. */
  readonly without: readonly [RegExp, string];
}

const IDENTITY: readonly [RegExp, string] = [/if l\.system_identifier <>[\s\S]*?end if;/, ''];

const OBJECTIONS: readonly Objection[] = [
  {
    name: 'the grace period is not over by the clock of the database',
    set: `drop_after = now() + interval '1 hour'`,
    undo: `drop_after = now()`,
    code: 'NotDue',
    message: /the grace period of partition \d+ ends at \d/,
    without: [/if l\.drop_after > clock_timestamp[\s\S]*?end if;/, ''],
  },
  {
    name: 'no drop was ever scheduled',
    set: 'drop_after = null',
    undo: `drop_after = now()`,
    code: 'NotDue',
    message: /partition \d+ has no scheduled drop: its set had "drop": false when it was verified/,
    without: [/if l\.drop_after is null then[\s\S]*?end if;/, ''],
  },
  {
    name: 'it is exported, but not verified',
    set: `state = 'exported'`,
    undo: `state = 'verified'`,
    code: 'StateConflict',
    message: /partition \d+ is exported, not verified/,
    without: [/if l\.state <> 'verified' then[\s\S]*?end if;/, ''],
  },
  {
    name: 'it is blocked',
    set: `state = 'blocked', blocked_state = 'verified', blocked_code = 'SealBroken', blocked_reason = 'look'`,
    undo: `state = 'verified', blocked_state = null, blocked_code = null, blocked_reason = null`,
    code: 'StateConflict',
    message: /partition \d+ is blocked, not verified/,
    // The same statement that drops it could not write the ledger row either.
    without: [/if l\.state <> 'verified' then[\s\S]*?end if;/, ''],
  },
  {
    name: 'the ledger was copied from another server',
    set: 'system_identifier = system_identifier + 1',
    undo: 'system_identifier = system_identifier - 1',
    code: 'IdentityChanged',
    message: /ledger row \d+ belongs to database .* of another system: this ledger was copied/,
    without: IDENTITY,
  },
  {
    name: 'the ledger was copied from another database',
    set: `database_name = 'elsewhere'`,
    undo: `database_name = current_database()`,
    code: 'IdentityChanged',
    message: /ledger row \d+ belongs to database "elsewhere"/,
    without: IDENTITY,
  },
];

const archiver = useArchiver();

/** The function itself, and not the step before it, which refuses some of this already. */
const dropVerified = async (
  line: LedgerLine,
  version: string | null,
  isolation = 'read committed',
): Promise<string> => {
  const connection = archiver().open('archiver_drop');
  try {
    return await connection.begin(`isolation level ${isolation}`, async (tx) => {
      const [row] = await tx<[{ table: string }]>`
        select partition_archiver.drop_verified(${line.id}::bigint, ${version}) as table`;
      return row.table;
    });
  } finally {
    await connection.end();
  }
};

const update = (sql: postgres.Sql, line: LedgerLine, set: string): Promise<unknown> =>
  sql.unsafe(`update partition_archiver.partition set ${set} where id = ${String(line.id)}`);

test('drop_verified trusts nobody: neither the Lambda that calls it nor the steps before it', async () => {
  const { sql } = archiver().database;
  const { steps, config } = archiver();
  const line = nth(await createVerifiedPartitions(archiver(), { cold: 1 }), 0);
  const { drop } = steps(config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]));

  for (const { name, set, undo, code, message, without } of OBJECTIONS) {
    await update(sql, line, set);
    await expect(dropVerified(line, line.manifestVersionId)).rejects.toThrow(message);
    const failure = await failureOf(drop(line.id));
    // The step looks first whether there is anything due at all.
    expect([name, failure.code]).toEqual([name, code === 'StateConflict' ? 'NotDue' : code]);
    const weakened = dropWithout(sql, without, line);
    if (name === 'it is blocked') await expect(weakened).rejects.toThrow(/check constraint/);
    else expect([name, await weakened]).toEqual([name, 'app.' + line.table]);
    await update(sql, line, undo);
  }

  await expect(dropVerified(line, 'another version')).rejects.toThrow(
    /the manifest that was looked at is not the one/,
  );
  await expect(dropVerified(line, null)).rejects.toThrow(/the manifest that was looked at is not the one/);

  // A snapshot taken before the lock cannot see what was committed while waiting for it (hazard 12).
  for (const isolation of ['repeatable read', 'serializable']) {
    await expect(dropVerified(line, line.manifestVersionId, isolation)).rejects.toThrow(
      `isolation is ${isolation}`,
    );
    const without = [/if current_setting\('transaction_isolation'\)[\s\S]*?end if;/, ''] as const;
    expect(await dropWithout(sql, without, line, isolation)).toBe(`app.${line.table}`);
  }

  await expect(dropVerified(line, line.manifestVersionId)).resolves.toBe(`app.${line.table}`);
  // A commit whose answer was lost: the step says that it is done, the function that there is nothing to do.
  await expect(drop(line.id)).resolves.toEqual({ dropped: true });
  await expect(dropVerified(line, line.manifestVersionId)).rejects.toThrow(/is dropped, not verified/);
});

// Seen to fail without the look for the row.
test('what the ledger does not know has no evidence for a drop', async () => {
  const { sql } = archiver().database;
  await expect(sql`select * from partition_archiver.drop_evidence(999999)`).rejects.toMatchObject({
    code: 'PA020',
    message: 'the ledger has no partition 999999',
  });
});
