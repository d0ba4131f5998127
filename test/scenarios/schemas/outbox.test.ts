/** Debezium's outbox: a published table whose subscriber continues during all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { S3Client } from '@aws-sdk/client-s3';
import { connect } from '../../../adapters/postgres/connect.ts';
import { archiverOn, prepareDatabase } from '../../support/own-server.ts';
import { makeRoles } from '../../support/roles.ts';
import { makeBucket, makeS3Client } from '../../support/s3.ts';
import { extended, SAME, walk } from '../../support/schema-walk.ts';
import { replicationOn, SUPERUSER } from '../../support/subscriber.ts';
import { rowsFact } from '../../support/table-facts.ts';
import { startUpgradableServer, type UpgradableServer } from '../../support/upgradable-server.ts';

let server: UpgradableServer;
let s3: S3Client;
let bucket = '';
beforeAll(async () => {
  [server, s3] = [await startUpgradableServer({}, { wal_level: 'logical' }), makeS3Client()];
  bucket = await makeBucket(s3, 'outbox');
});
afterAll(async () => {
  s3.destroy();
  await server.stop();
});
const { on, until, subscribe, unsubscribe } = replicationOn(() => server);

// As Debezium's outbox event router expects it, with the time that its documentation has as an additional column.
const TABLE = `
  create table shop.outbox (
    id uuid not null primary key default gen_random_uuid(), aggregatetype varchar(255) not null, aggregateid varchar(255) not null,
    type varchar(255) not null, payload jsonb, "timestamp" timestamptz not null default now())`;
const EVENT = `insert into shop.outbox (aggregatetype, aggregateid, type, payload)`;

test('events arrive once each while the table becomes a partition set, and during archive, restore and attach', async () => {
  await prepareDatabase(server, 'events');
  await on('postgres', 'create database events_copy');
  await on('events_copy', 'create schema shop', TABLE);
  const archiver = archiverOn(server, 'events', s3, bucket);
  const { sql } = archiver.database;
  await makeRoles(sql, 'events_app', 'debezium');
  await on('events', 'create schema shop authorization events_app', 'grant usage on schema shop to debezium');
  await sql.unsafe(`
    set role events_app; ${TABLE}; create index on shop.outbox (aggregatetype, aggregateid);
    grant select on shop.outbox to debezium; reset role;
    create publication dbz_publication for table shop.outbox; alter publication dbz_publication owner to debezium`);
  await subscribe('events', 'dbz_publication');
  await sql.unsafe(`
    insert into shop.outbox (aggregatetype, aggregateid, type, payload, "timestamp")
      select 'Order', g, 'OrderCreated', jsonb_build_object('number', g), t
        from generate_series(date_trunc('month', now()) - interval '3 months', now(), '3 hours') with ordinality as x (t, g)`);

  // The application writes all the time until the table is a partition set; and as the pattern has it, deletes what it wrote.
  let writing = true;
  let written = 0;
  const writer = async (): Promise<void> => {
    for (; writing; written += 1) {
      await sql.unsafe(`${EVENT} values ('Order', '${String(written)}', 'OrderPaid', null)`);
      if (written % 3 === 0)
        await sql.unsafe(
          `delete from shop.outbox where type = 'OrderPaid' and aggregateid = '${String(written - 1)}'`,
        );
      await sleep(10);
    }
  };
  const once = async (stage: string): Promise<void> => {
    await sql.unsafe(`${EVENT} values ('Order', '1', '${stage}', null)`);
    await until('events_copy', `select from shop.outbox where type = '${stage}'`);
    await sql.unsafe(`delete from shop.outbox where type = '${stage}'`);
    await until('events_copy', `select where not exists (select from shop.outbox where type = '${stage}')`);
  };
  let writers: Promise<void> | undefined;
  const { host, port } = server;
  const walked = await walk({
    archiver,
    open: () =>
      connect({ host, port, database: 'events', ...SUPERUSER, tls: false, applicationName: 'test' }),
    tables: [
      {
        schema: 'shop',
        table: 'outbox',
        plan: {
          control: 'timestamp',
          epoch: 'none',
          interval: '1 month',
          retention: '1 month',
          mode: 'online',
          keys: 'extend',
        },
      },
    ],
    beforehand: 'alter publication dbz_publication set (publish_via_partition_root = true)',
    acceptedPublications: ['dbz_publication'],
    meanwhile: async (stage) => {
      if (stage === 'beforehand') writers = writer();
      if (stage === 'partition-table outbox') {
        writing = false;
        await writers;
      }
      await once(stage);
    },
  });
  const keys = extended('shop.outbox', 'id', '"timestamp"');
  const published = (asRoot: string): string =>
    `publication dbz_publication: as its root ${asRoot}, columns {id,aggregatetype,aggregateid,type,payload,timestamp}, rows `;
  // Besides the rows of the application.
  const { gone, new: there } = walked.swapped['shop.outbox']!;
  expect([gone, there].map((facts) => facts.filter((fact) => !fact.startsWith('rows: ')))).toEqual([
    [...keys.gone, published('f')],
    [...keys.new, published('t')],
  ]);
  expect(written).toBeGreaterThan(20);
  expect([walked.dropped, walked.archived, walked.back]).toEqual([
    2,
    { 'shop.outbox': SAME },
    { 'shop.outbox': SAME },
  ]);
  // Every event was sent, once, and what was archived stays at the subscriber.
  const copy = server.connect('events_copy');
  expect(await rowsFact(copy, 'shop.outbox')).toBe(await rowsFact(sql, 'shop.outbox'));
  await copy.end();
  await unsubscribe('events');
  await sql.end();
});
