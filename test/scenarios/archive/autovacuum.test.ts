import { expect, test } from '@jest/globals';
import { hurriedClock, useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

test('a lock that autovacuum would give up is waited for, with nothing else held', async () => {
  const { database, config, steps } = archiver();
  const { sql } = database;
  await createPartitionSet(sql, { months: 3, rowsPerMonth: 10 });
  const wired = steps(config([{ schema: 'app', table: 'event' }]));
  const request = await wired.preflight({});
  await wired.maintain(request);
  const { partitions } = await wired.detect(request);
  const [id = 0] = partitions;
  const [table] = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from partition_archiver.partition where id = ${id}`;

  // In autovacuum's place, since one cannot be had on demand: the same lock, released after longer than the archiver's
  // short waits and sooner than deadlock_timeout plus a half second, as autovacuum does when it is told to.
  const vacuum = await sql.reserve();
  await vacuum`begin`;
  await vacuum.unsafe(`lock table ${table?.name ?? ''} in share update exclusive mode`);
  const released = hurriedClock.sleep(50).then(async () => {
    await new Promise((resolve) => setTimeout(resolve, 800));
    await vacuum`commit`;
    vacuum.release();
  });

  // One try only: seen to fail (LockNotAvailable) without wait_for_autovacuum in adapters/postgres/archive/quarantine.ts.
  const never = { now: () => new Date(), sleep: () => Promise.reject(new Error('a second try was needed')) };
  const impatient = steps(config([{ schema: 'app', table: 'event' }]), { clock: never });
  await expect(impatient.quarantine(id, request)).resolves.toMatchObject({ next: 'export' });
  await released;
});
