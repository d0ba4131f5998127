/** Verdicts, exports and splits that come late, twice, or of another segment; asked directly, as a second execution would. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { segmentFileKeys } from '../../../core/keys.ts';
import type { Steps } from '../../../core/archive/run.ts';
import { useAsking } from '../../support/asking.ts';
import type { LedgerLine } from '../../support/ledger.ts';

const { sql, bring, ask, change } = useAsking();

/** A value of the first segment's row. */
async function segmentOf(id: number, number: number): Promise<Record<string, unknown>> {
  const [row] = await sql()`
    select s.archive_id::text, s.object_key, s.exported_rows, s.exported_bytes, s.exported_files, s.objects::text, s.state
      from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
     where l.id = ${id} and s.number = ${number}`;
  return { ...row };
}

describe('a partition that is half verified', () => {
  let id = 0;
  let steps: Steps;
  let line: () => Promise<LedgerLine>;
  beforeAll(async () => {
    ({ id, steps, line } = await bring('half', 'half verified'));
  });

  test('cannot be committed, whatever its state says', async () => {
    const [{ archive, rows, bytes }] = await sql()<[{ archive: string; rows: number; bytes: number }]>`
      select archive_id::text as archive, sum(s.row_count)::integer as rows, sum(s.byte_count)::integer as bytes
        from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
       where l.id = ${id} group by 1`;
    expect(await ask(`begin_commit(${id})`)).toMatch(/^PA001 partition \d+ is quarantined, not exported/);
    await change(id, `state = 'exported'`);
    expect(await ask(`begin_commit(${id})`)).toMatch(/^PA008 .* has segments that are not verified/);
    const commit = (manifest: string): string => `commit_archive(${id}, ${manifest}, ${rows}, ${bytes}, 1)`;
    expect(await ask(commit(`'${archive}', 'k', 'v', 's'`))).toMatch(/^PA008 the manifest/);
    await change(id, `state = 'quarantined'`);
  });

  test('takes only the verdict on what aws_s3 said that it wrote', async () => {
    await steps.export(id, 1);
    const said = await segmentOf(id, 1);
    const keyOf = String(said['object_key']);
    const match = (
      ...[rows, bytes, files, key = keyOf, keys = segmentFileKeys(key, files)]: [
        ...[rows: number, bytes: number, files: number, key?: string, keys?: readonly string[]],
      ]
    ): string => {
      const objects = keys.map((file) => ({ key: file }));
      return `record_match(${id}, 1, '${JSON.stringify(objects)}', ${rows}, ${bytes}, repeat('0', 64), repeat('0', 16), false, 'two-readings')`;
    };
    const [rows, bytes, files] = [said['exported_rows'], said['exported_bytes'], said['exported_files']].map(
      Number,
    );
    const refused = /^PA001 segment 1 of partition \d+ is not exported, or not to these objects with/;
    expect(await ask(match(rows! + 1, bytes!, files!))).toMatch(refused);
    expect(await ask(match(rows!, bytes! + 1, files!))).toMatch(refused);
    expect(await ask(match(rows!, bytes!, files! + 1))).toMatch(refused);
    expect(await ask(match(rows!, bytes!, files!, 'another key'))).toMatch(refused);
    expect(await ask(match(rows!, bytes!, files!))).toBe('returns ');
    // The second file of a large one has a key of its own.
    const before = `update partition_archiver.segment set exported_files = 2
      where object_key = '${keyOf}'`;
    expect(await ask(match(rows!, bytes!, 2), { before })).toBe('returns ');
    expect(await ask(match(rows!, bytes!, 2, keyOf, [keyOf, keyOf]), { before })).toMatch(refused);
    const first = await segmentOf(id, 0);
    // The first one is verified already: a verdict that comes late changes nothing.
    const late = match(
      Number(first['exported_rows']),
      Number(first['exported_bytes']),
      1,
      String(first['object_key']),
    ).replace(', 1, ', ', 0, ');
    expect(await ask(late)).toMatch(/^PA001 segment 0/);
  });

  test('has no other segments than those of its plan, and a verified one is not split', async () => {
    expect(await ask(`begin_segment(${id}, 7, false)`)).toMatch(/^PA001 partition \d+ has no segment 7/);
    expect(await ask(`begin_segment(${id}, 0, true)`)).toMatch(/^returns \{/);
    expect(await ask(`split_segment(${id}, 7, 0)`)).toMatch(
      /^PA001 segment 7 of partition \d+ is not in its plan and cannot be split/,
    );
    expect(await ask(`split_segment(${id}, 0, 0)`)).toMatch(
      /^PA001 segment 0 of partition \d+ is verified and cannot be split/,
    );
    expect(await ask(`begin_segment(${id}, -1, false)`)).toMatch(/^PA001 partition \d+ has no segment -1/);
    expect(await ask(`split_segment(${id}, 1, 0)`)).toBe('returns 3');
  });

  test('is exported again as a whole segment: no proof of the first try stays', async () => {
    await sql().begin(async (tx) => {
      const key = String((await segmentOf(id, 0))['object_key']);
      await tx`select partition_archiver.record_export(${id}, 0, ${key}, 1, 1, 1)`;
      const [row] = await tx`
        select s.row_count, s.byte_count, sha256, line_hash_sum, objects, s.verified_at, order_differs, s.state
          from partition_archiver.segment s join partition_archiver.partition l using (archive_id)
         where l.id = ${id} and s.number = 0`;
      expect(row).toEqual({
        row_count: null,
        byte_count: null,
        sha256: null,
        line_hash_sum: null,
        objects: null,
        verified_at: null,
        order_differs: null,
        state: 'exported',
      });
      await tx`rollback and chain`;
    });
  });

  test('is exported by one session at a time, and verified beside it', async () => {
    await sql().begin(async (tx) => {
      await tx`select partition_archiver.begin_segment(${id}, 1, true)`;
      expect(await ask(`begin_segment(${id}, 1, true)`)).toMatch(
        /^PA005 segment 1 of partition \d+ is still being exported by another session/,
      );
      expect(await ask(`begin_segment(${id}, 1, false)`)).toMatch(/^returns \{/);
    });
  });

  // Seen to fail without the state in record_mismatch().
  test('is planned again where its objects do not match, and so is the partition', async () => {
    await sql().begin(async (tx) => {
      await tx`update partition_archiver.partition set state = 'exported' where id = ${id}`;
      await tx`select partition_archiver.record_mismatch(${id}, 1)`;
      const [row] = await tx`
        select l.state as partition, s.state, s.object_key, s.exported_rows, s.exported_files, s.exported_bytes, s.exported_at
          from partition_archiver.partition l join partition_archiver.segment s using (archive_id)
         where l.id = ${id} and s.number = 1`;
      expect(row).toEqual({
        partition: 'quarantined',
        state: 'planned',
        object_key: null,
        exported_at: null,
        exported_rows: null,
        exported_files: null,
        exported_bytes: null,
      });
      await tx`rollback and chain`;
    });
  });

  // Last, since it stays so. Seen to fail without assert_sealed() in record_match().
  test('takes no verdict once somebody has changed the table', async () => {
    const said = await segmentOf(id, 1);
    const { quarantineName } = await line();
    await sql().unsafe(
      `alter table partition_archiver_quarantine."${String(quarantineName)}" rename payload to other`,
    );
    const match = `record_match(${id}, 1, '[{}]', ${String(said['exported_rows'])}, ${String(said['exported_bytes'])}, repeat('0', 64), repeat('0', 16), false, 'two-readings')`;
    expect(await ask(match)).toMatch(/^PA003 .* columns changed/);
  });
});
