/**
 * What values look like can change without anybody touching the table: its owner renames a label of an enum, or alters a
 * composite type. Half of an archive would then say one thing and half another, and neither could be imported as it is.
 */
import { expect, test } from '@jest/globals';
import type { Steps } from '../../../core/archive/run.ts';
import { useArchiver } from '../../support/archiver.ts';
import { nth } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

const COLUMNS = 'felt public.mood, moods public.mood[], place public.spot, payload text';
const VALUES = `'sad', '{merry,sad}', row(g, 'here')::public.spot, repeat('payload ', 40)`;
const BROKEN = { code: 'SealBroken', message: expect.stringMatching(/types changed since the quarantine/) };

/** A partition with two segments or more in quarantine, none of them exported. */
async function quarantined(
  table: string,
): Promise<{ id: number; steps: Steps; commit: () => Promise<unknown> }> {
  const { database, config, steps: makeSteps } = archiver();
  await database.sql.unsafe(`
    drop type if exists public.spot, public.mood cascade;
    create type public.mood as enum ('sad', 'merry');
    create type public.spot as (x integer, name text)`);
  await createPartitionSet(database.sql, {
    table,
    months: 3,
    rowsPerMonth: 6000,
    columns: COLUMNS,
    values: VALUES,
  });
  const steps = makeSteps(config([{ schema: 'app', table, drop: true, graceDays: 0, segmentSizeMiB: 2 }]));
  const request = await steps.preflight({});
  await steps.maintain(request);
  const id = nth((await steps.detect(request)).partitions, 0);
  expect(await steps.quarantine(id, request)).toEqual({ next: 'export', segments: [0, 1] });
  return { id, steps, commit: () => steps.commit(id, request) };
}

// Seen to fail without 'types' in seal_of() of db/archive/seal.sql: the archive is committed, the first segment with the old
// label and the second one with the new one.
test('a label that is renamed between two segments stops the archive before it is half one and half the other', async () => {
  const { sql } = archiver().database;
  const { id, steps, commit } = await quarantined('relabelled');
  await steps.export(id, 0);
  await sql`alter type public.mood rename value 'sad' to 'glad'`;
  // Not a mismatch of contents, which would send an operator to S3.
  expect(await failureOf(steps.verify(id, 0))).toMatchObject(BROKEN);
  await sql`alter type public.mood rename value 'glad' to 'sad'`;
  await steps.verify(id, 0);

  await sql`alter type public.mood rename value 'sad' to 'glad'`;
  expect(await failureOf(steps.export(id, 1))).toMatchObject(BROKEN);
  expect(await commit()).toEqual({ next: 'export', segments: [1] });
  // Renamed back it says what it said: nothing has to be archived again.
  await sql`alter type public.mood rename value 'glad' to 'sad'`;
  await steps.export(id, 1);
  await steps.verify(id, 1);

  await sql`alter type public.mood rename value 'sad' to 'glad'`;
  expect(await failureOf(commit())).toMatchObject(BROKEN);
  await sql`alter type public.mood rename value 'glad' to 'sad'`;
  expect(await commit()).toMatchObject({ next: 'drop' });
});

// Seen to fail without the composite types of type_facts(): archived with rows of two fields and rows of three.
test('a composite type that gets or loses an attribute between two segments stops the archive', async () => {
  const { sql } = archiver().database;
  const { id, steps } = await quarantined('widened');
  await steps.export(id, 0);
  await steps.verify(id, 0);
  await sql`alter type public.spot add attribute height integer`;
  expect(await failureOf(steps.export(id, 1))).toMatchObject(BROKEN);
  await sql`alter type public.spot drop attribute height`;
  await steps.export(id, 1);
  await sql`alter type public.spot drop attribute name`;
  expect(await failureOf(steps.verify(id, 1))).toMatchObject(BROKEN);
});

// Seen to fail with the types compared for equality: every partition in its grace period would be blocked.
test('a label that is added, before or after the others, changes no value and breaks no seal', async () => {
  const { sql } = archiver().database;
  const { id, steps, commit } = await quarantined('grown');
  await steps.export(id, 0);
  await sql`alter type public.mood add value 'calm' before 'sad'`;
  await steps.verify(id, 0);
  await steps.export(id, 1);
  await steps.verify(id, 1);
  await commit();
  await sql`alter type public.mood add value 'wild' after 'merry'`;
  await expect(steps.drop(id)).resolves.toEqual({ dropped: true });
});

test('a label that is renamed in the grace period keeps the table until it is archived again', async () => {
  const { database, run, config, operations } = archiver();
  const { sql } = database;
  const { id, steps, commit } = await quarantined('late');
  for (const segmentNumber of [0, 1]) {
    await steps.export(id, segmentNumber);
    await steps.verify(id, segmentNumber);
  }
  await commit();
  await sql`alter type public.mood rename value 'merry' to 'cheerful'`;
  const set = config([{ schema: 'app', table: 'late', drop: true, graceDays: 0, segmentSizeMiB: 2 }]);
  await expect(run(set)).rejects.toMatchObject({
    code: 'PartitionsFailed',
    message: expect.stringContaining('SealBroken'),
  });
  // The archive is whole, and says what the values were called then; this database could not import it any more.
  expect(await failureOf(operations().reverify(id))).toMatchObject({ code: 'ContentMismatch' });
  expect(await operations().release(id)).toMatchObject({ state: 'released' });
  expect(await operations().resume(id)).toMatchObject({ state: 'detached' });
  expect(await run(set)).toMatchObject({ archived: 1, dropped: 1, rows: 6000 });
});

// Seen to fail without each of the ways down in type_facts().
test('what prints a value is looked for in arrays, domains, ranges, composite and row types, and in extensions', async () => {
  const { sql } = archiver().database;
  await sql.unsafe(`
    create extension citext;
    create type public.deep as enum ('label');
    create domain public.over_it as public.deep;
    create type public.around_it as (at integer, it public.deep);
    create type public.from_it as range (subtype = public.deep, multirange_type_name = public.from_its);
    create table public.row_of_it (it public.over_it[])`);
  const factsOf = async (type: string): Promise<string[]> => {
    await sql.unsafe(
      `create table public.holder (value ${type}, printed integer generated always as (1) stored)`,
    );
    const [row] = await sql<[{ facts: string[] }]>`
      select partition_archiver.type_facts('public.holder'::regclass) as facts`;
    await sql`drop table public.holder`;
    return row.facts;
  };
  const label = expect.stringMatching(/^enum \d+: label \d+ is label$/);
  for (const type of ['deep', 'deep[]', 'over_it', 'around_it[]', 'from_it', 'from_its', 'row_of_it']) {
    expect([type, await factsOf(`public.${type}`)]).toEqual([type, expect.arrayContaining([label])]);
  }
  expect(await factsOf('public.row_of_it')).toContainEqual(
    expect.stringMatching(/^composite \d+: 1 is \d+ -1$/),
  );
  expect(await factsOf('citext')).toEqual([
    expect.stringMatching(/^base \d+: output by public\.citextout\(public\.citext\), textout, $/),
  ]);
  expect(await factsOf('text')).toEqual([]);
});
