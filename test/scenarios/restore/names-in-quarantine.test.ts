/** What a table is called by can change while it is in quarantine: its owner's name, and those of its indexes. */
import { beforeAll, expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { nth, readLedger, type LedgerLine } from '../../support/ledger.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();
// Roles belong to the whole server, on which other tests run.
const OWNERS = ['names_renamed', 'names_dropped', 'names_new', 'names_next'] as const;

/** A set of an owner's whose oldest partition is verified, in quarantine. */
async function quarantined(table: string, owner: string): Promise<LedgerLine> {
  const { database, run, config } = archiver();
  await createPartitionSet(database.sql, {
    schema: table,
    table,
    owner,
    months: 3,
    rowsPerMonth: 20,
  });
  await database.sql.unsafe(
    `create index on ${table}.${table} (payload); create index on ${table}.${table} (lower(payload))`,
  );
  await run(config([{ schema: table, table, drop: false, graceDays: 0 }]));
  return nth(await readLedger(database.sql, table), 0);
}

const indexesOf = async ({ oid }: LedgerLine): Promise<string[]> =>
  (
    await archiver().database.sql<{ name: string }[]>`
      select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = ${oid}::oid order by 1`
  ).map(({ name }) => name);

const ownerOf = async ({ oid }: LedgerLine): Promise<unknown> =>
  (
    await archiver().database
      .sql`select relowner::regrole::text as owner from pg_class where oid = ${oid}::oid`
  )[0];

beforeAll(async () => {
  for (const role of OWNERS) await archiver().database.sql.unsafe(`drop role if exists ${role}`);
});

// Seen to fail on a9b8896: DatabaseRejected, "role names_renamed does not exist".
test('a partition is returned to its owner, whatever that role is called now', async () => {
  const { database, operations } = archiver();
  const line = await quarantined('renamed', 'names_renamed');
  await database.sql`alter role names_renamed rename to names_new`;
  expect(await operations().release(line.id)).toMatchObject({ state: 'released', notes: [] });
  expect(await ownerOf(line)).toEqual({ owner: 'names_new' });
});

// Seen to fail on a9b8896: there is no --owner, and the message says nothing of the way out.
test('where the owner is gone, the message names the way out, and another one gets it', async () => {
  const { database, operations } = archiver();
  const { sql } = database;
  const line = await quarantined('dropped', 'names_dropped');
  await sql.unsafe(`
    create role names_next;
    reassign owned by names_dropped to names_next; drop owned by names_dropped; drop role names_dropped`);
  expect(await failureOf(operations().release(line.id))).toMatchObject({
    code: 'DependencyMissing',
    message: expect.stringMatching(/role names_dropped, which was dropped since.*release \d+ --owner <role>/),
  });
  expect(await failureOf(operations().release(line.id, 'names_next'))).toMatchObject({
    code: 'DependencyMissing',
    message: expect.stringMatching(/grant names_next to archiver_owner;/),
  });
  await sql`grant names_next to archiver_owner`;
  expect(await operations().release(line.id, 'names_next')).toMatchObject({ state: 'released' });
  expect(await ownerOf(line)).toEqual({ owner: 'names_next' });
});

// Seen to fail on a9b8896: the indexes keep the names that they had in quarantine, and nothing is said.
test('indexes that were built again in quarantine get their names back, and what has none is told', async () => {
  const { database, operations } = archiver();
  const { sql } = database;
  const line = await quarantined('reindexed', 'names_new');
  const before = (
    await sql<{ names: { name: string }[] }[]>`
    select original_names as names from partition_archiver.partition where id = ${line.id}`
  )[0]!.names.map(({ name }) => name);
  const table = `partition_archiver_quarantine."${String(line.quarantineName)}"`;
  await sql.unsafe(`reindex table concurrently ${table}`);
  // One by its definition only; one is gone, and one is new.
  const [lower] = (await indexesOf(line)).filter((name) => name.includes('lower'));
  await sql.unsafe(`drop index partition_archiver_quarantine."${lower!}"`);
  await sql.unsafe(`create index by_hand on ${table} using btree (lower(payload))`);
  const [payload] = (await indexesOf(line)).filter((name) => name.includes('payload'));
  await sql.unsafe(`drop index partition_archiver_quarantine."${payload!}"`);
  await sql.unsafe(`create index other on ${table} (payload, id)`);

  const { notes } = await operations().release(line.id);
  expect(notes).toEqual([
    expect.stringMatching(/^index reindexed_p\S+_payload_idx is not there any more$/),
    'index other was made in quarantine',
  ]);
  expect(await indexesOf(line)).toEqual(
    [...before.filter((name) => !name.includes('payload')), 'other'].sort(),
  );
});
