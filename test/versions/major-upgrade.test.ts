/** A server that pg_upgrade made of another one: same OIDs, another system identifier, new catalog rows of every fence. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import type postgres from 'postgres';
import type { Archiver } from '../support/archiver.ts';
import { archiveHalf, type HalfState } from '../support/half-archived.ts';
import { compareRows, findRows, type Found } from '../support/invariant.ts';
import { readLedger, type LedgerLine } from '../support/ledger.ts';
import { archiverOn, prepareDatabase } from '../support/own-server.ts';
import { makeBucket, makeS3Client } from '../support/s3.ts';
import { startUpgradableServer, type UpgradableServer } from '../support/upgradable-server.ts';
import { failureOf } from '../support/verified.ts';

const NAME = 'shop';
let server: UpgradableServer;
let s3: S3Client;
let sql: postgres.Sql;
let archiver: Archiver;

const open = (): void => {
  archiver = archiverOn(server, NAME, s3, archiver.bucket);
  ({ sql } = archiver.database);
};

beforeAll(async () => {
  s3 = makeS3Client();
  archiver = { bucket: await makeBucket(s3, 'upgraded') } as Archiver;
  server = await startUpgradableServer();
  await prepareDatabase(server, NAME);
  open();
});
afterAll(async () => {
  s3.destroy();
  await sql.end({ timeout: 1 });
  await server.stop();
});

const system = async (): Promise<string> => {
  const [row] = await sql<[{ id: string }]>`select system_identifier::text as id from pg_control_system()`;
  return row.id;
};

const rows = (): Promise<Found> => {
  const columns = ['id', 'ts', 'payload'];
  return findRows({
    sql,
    s3,
    bucket: archiver.bucket,
    database: NAME,
    schema: 'app',
    table: 'event',
    columns,
  });
};

const ledger = async (): Promise<readonly unknown[]> =>
  sql`select to_jsonb(l) as row from partition_archiver.partition l order by id`;

test('nothing happens on an upgraded server before the ledger is upgraded; then everything continues', async () => {
  const half = await archiveHalf(archiver, 'event');
  const set = archiver.config([{ schema: 'app', table: 'event', drop: true, graceDays: 0 }]);
  const known = await rows();
  const [before, from] = [await ledger(), await system()];

  await sql.end();
  await server.upgrade();
  open();
  expect(await system()).not.toBe(from);
  expect(await ledger()).toEqual(before);

  const refused = await failureOf(archiver.run(set));
  expect(refused).toMatchObject({ code: 'PreflightFailed', message: expect.stringContaining(from) });
  await expect(
    sql`select partition_archiver.record_inventory('app.event'::regclass::oid, 'UTC')`,
  ).rejects.toThrow(`Start UpgradeLedger with {"from": "${from}"}`);
  expect(await ledger()).toEqual(before);

  const report = await archiver.operations().upgradeLedger({ from, database: null, forget: false });
  const remarkOf = (state: HalfState): unknown => report.partitions.find(({ id }) => id === half[state].id);
  expect(remarkOf('restored')).toMatchObject({ state: 'restored', remark: 'no run archives it, as before' });
  expect(remarkOf('released')).toMatchObject({ state: 'released', remark: 'no run archives it, as before' });
  expect(remarkOf('exported')).toMatchObject({
    was: 'exported',
    state: 'quarantined',
    remark: 'is exported from the beginning, behind a new fence',
  });
  expect(remarkOf('verified')).toMatchObject({ was: 'verified', state: 'blocked' });
  expect(remarkOf('blocked')).toMatchObject({
    state: 'blocked',
    remark: 'stays blocked: an operator is to look',
  });
  expect(report.nextStep).toContain('Start Reverify with {"all": "verified"}.');
  expect(await archiver.operations().upgradeLedger({ from, database: null, forget: false })).toMatchObject({
    partitions: [],
  });

  const lineOf = async (state: HalfState): Promise<LedgerLine | undefined> =>
    (await readLedger(sql, 'event')).find(({ id }) => id === half[state].id);
  for (const state of ['quarantined', 'exported', 'blocked'] as const) {
    expect((await lineOf(state))?.archiveId).not.toBe(half[state].archiveId);
  }

  expect(await archiver.run(set)).toMatchObject({ archived: 3, dropped: 3, failed: 0 });
  const [verified] = await archiver.operations().reverifiable();
  expect(verified).toBe(half.verified.id);
  await archiver.operations().reverify(half.verified.id);
  await archiver.operations().resume(half.blocked.id);
  expect(await archiver.run(set)).toMatchObject({ archived: 1, dropped: 2, failed: 0 });
  expect(await lineOf('restored')).toMatchObject({ state: 'restored', archiveId: null });
  expect(await lineOf('released')).toMatchObject({ state: 'released', archiveId: null });
  expect(await lineOf('attached')).toMatchObject({ state: 'attached' });
  expect(compareRows(known.inTables, await rows()).lost).toEqual([]);
});
