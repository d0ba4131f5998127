/** Databases in which PUBLIC has nothing, and publications of another owner that pg_partman is to alter. */
import { afterAll, expect, test } from '@jest/globals';
import type postgres from 'postgres';
import { connect, type Connection } from '../../../adapters/postgres/connect.ts';
import { makeArchiver, ROLE_PASSWORD, useArchiver } from '../../support/archiver.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { createPartitionSet } from '../../support/partition-sets.ts';
import { partmanMajor } from '../../support/partman.ts';
import { prepared } from '../../support/prepare.ts';

const connections: Connection[] = [];
function open(database: string, user: string, password: string): Connection {
  const { host, port } = stack().postgres;
  const connection = connect({ host, port, database, user, password, tls: false, applicationName: 'test' });
  connections.push(connection);
  return connection;
}
const administrator = (database: string): Connection => {
  const { user, password } = stack().postgres.superuser;
  return open(database, user, password);
};
// Before the databases are looked at for connections that were left open.
afterAll(async () => {
  for (const each of connections) await each.end();
});

const hardened = useDatabase();
const published = useArchiver();

/** As hardening guides have it: PUBLIC has neither the database, nor schemas, functions, types and languages of it. */
async function harden(sql: postgres.Sql, name: string): Promise<void> {
  await sql.unsafe(`
    revoke all on database "${name}" from public;
    revoke all on schema public from public;
    revoke all on language plpgsql, sql from public;
    alter default privileges revoke execute on functions from public;
    alter default privileges revoke usage on types from public`);
}

// Seen to fail without: the grants of languages in db/schema/roles.sql, those of CONNECT in db/schema/grants.sql. On a9b8896 no login
// role may connect.
test('where PUBLIC has nothing, what is prepared is enough to archive and drop', async () => {
  const { name, sql } = hardened();
  // Before the default rights are taken: the stand-in for it calls functions that it does not grant.
  await sql`create extension aws_s3 cascade`;
  await harden(sql, name);
  const admin = administrator(name);
  await prepared(admin, []);
  await createPartitionSet(sql, { schema: 'shop', table: 'sale', rowsPerMonth: 20, owner: 'hard_owner' });
  expect((await prepared(admin, ['shop.sale'])).problems).toEqual([]);

  const { s3, bucket } = published();
  const archiver = makeArchiver({
    s3,
    bucket,
    database: hardened(),
    open: (role) => open(name, role, ROLE_PASSWORD),
  });
  const set = archiver.config([{ schema: 'shop', table: 'sale', drop: true, graceDays: 0 }]);
  expect(await archiver.run(set)).toMatchObject({ archived: 2, dropped: 2, failed: 0 });

  // What an administrator may not grant is listed with its statement.
  await sql.unsafe(`revoke connect on database "${name}" from archiver_drop`);
  const [{ found }] = await sql<[{ found: object }]>`
    select jsonb_agg(p) as found from partition_archiver.preflight('[]') p`;
  expect(found).toEqual([
    {
      subject: 'role archiver_drop',
      problem: `may not connect to database "${name}"`,
      remedy: `grant connect on database "${name}" to archiver_drop;`,
    },
  ]);
});

// Seen to fail without: the look at part_config.publications in db/archive/preflight.sql. On a9b8896 prepare says "ready", and each
// run "must be owner of publication cdc".
test('a publication of another owner to which pg_partman adds partitions is told with the statement', async () => {
  const { database, run, config } = published();
  const { name, sql } = database;
  await createPartitionSet(sql, { schema: 'shop', table: 'sale', rowsPerMonth: 20, owner: 'cdc_owner' });
  if ((await partmanMajor(sql)) >= 5) return; // It adds to no publications.
  await sql`create publication cdc for table shop.sale with (publish_via_partition_root = true)`;
  await sql`update partman.part_config set publications = '{cdc,gone}', premake = 6`;
  const admin = administrator(name);
  const acceptedPublications = ['cdc'];
  const { problems } = await prepared(admin, ['shop.sale'], { acceptedPublications });
  expect(problems).toEqual([
    {
      subject: 'shop.sale',
      problem:
        'pg_partman would add each new partition of it to publication cdc, which belongs to postgres, of which archiver_maintain is not a member',
      remedy: `grant create on database "${name}" to cdc_owner; alter publication cdc owner to cdc_owner;`,
    },
    {
      subject: 'shop.sale',
      problem: 'pg_partman would add each new partition of it to publication gone, which is not there',
      remedy: expect.stringContaining(`array_remove(publications, 'gone')`),
    },
  ]);
  for (const { remedy } of problems) await sql.unsafe(remedy);
  expect((await prepared(admin, ['shop.sale'], { acceptedPublications })).problems).toEqual([]);
  const set = config([{ schema: 'shop', table: 'sale', drop: true, graceDays: 0 }]);
  expect(await run({ ...set, acceptedPublications })).toMatchObject({ archived: 2, failed: 0 });
  const [{ added }] = await sql<[{ added: number }]>`
    select count(*)::integer as added from pg_publication_tables where pubname = 'cdc'`;
  expect(added).toBeGreaterThan(0);
});
