import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';

const archiver = useArchiver();

test('hazard 3: retention_keep_table turned off after the preflight: pg_partman is not let near the set', async () => {
  const { database, config, steps } = archiver();
  const { sql } = database;
  await createPartitionSet(sql);
  const wired = steps(config([{ schema: 'app', table: 'event' }]));
  const request = await wired.preflight({});
  await sql`update partman.part_config set retention_keep_table = false`;

  const [report] = await wired.maintain(request);

  // Seen to fail without the look at part_config in adapters/postgres/archive/maintain.ts: two partitions were gone.
  expect(report?.error).toMatchObject({ code: 'PreflightFailed' });
  expect(report?.error?.message).toContain('retention_keep_table = false');
  const [rows] = await sql<{ n: number }[]>`select count(*)::integer as n from app.event`;
  expect(rows?.n).toBe(4000);
  await expect(wired.preflight({})).rejects.toThrow('retention_keep_table = false');
});
