/** PostGIS and pgvector in a schema of their own, which is how hosted PostgreSQL has them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { extensionFolder } from '../../../local/stack/installation.ts';
import { useArchiver } from '../../support/archiver.ts';
import { makeRoles } from '../../support/roles.ts';
import { extended, onStack, SAME, walk, type WalkedTable } from '../../support/schema-walk.ts';
import { testInstallation } from '../../support/stack.ts';
import { testIf, type ConditionalTest } from '../../support/test-if.ts';
import { failureOf } from '../../support/verified.ts';

const archiver = useArchiver();

/** `test` where the server has an extension; local/setup.sh says which of the two the distribution does not package. */
function withExtension(name: string): ConditionalTest {
  const control = join(extensionFolder(testInstallation()), `${name}.control`);
  return testIf(existsSync(control), `extension ${name}`);
}

const byMonth = (table: string): WalkedTable => ({
  schema: 'fleet',
  table,
  plan: {
    control: 'at',
    epoch: 'none',
    interval: '1 month',
    retention: '1 month',
    mode: 'online',
    keys: 'extend',
  },
});
/** Three months and this one, a row each twelve hours. */
const TIMES = `generate_series(date_trunc('month', now()) - interval '3 months', now(), '12 hours') with ordinality as x (t, g)`;

beforeAll(async () => {
  const { sql } = archiver().database;
  await makeRoles(sql, 'fleet_owner', 'fleet_app');
  await sql.unsafe(`
    create schema extensions;
    revoke all on schema extensions from public;
    grant usage on schema extensions to fleet_owner, fleet_app;
    create schema fleet authorization fleet_owner;
    grant usage on schema fleet to fleet_app`);
});

const POSITIONS = `
  create extension postgis schema extensions;
  set role fleet_owner;
  set search_path = fleet, extensions, public;
  create type fleet.vehicle_state as enum ('idle', 'driving');
  -- PostgreSQL 17 takes no other function for an index. The next one is as people write them: it finds PostGIS by the
  -- search_path of its caller.
  create function fleet.cell(geometry) returns text language sql immutable set search_path = extensions, pg_temp
    as $$ select st_geohash($1, 5) $$;
  create function fleet.plausible(geometry) returns boolean language plpgsql immutable as $$
    begin return st_x($1) between -180 and 180 and st_srid($1) = 4326; end $$;
  create table fleet.positions (
    id bigint generated always as identity primary key, vehicle uuid not null, at timestamptz not null,
    spot geometry(Point, 4326) not null, track geography(LineString, 4326), area geometry(Polygon, 3857),
    state fleet.vehicle_state not null default 'idle', height real,
    x double precision generated always as (st_x(spot)) stored,
    constraint positions_plausible check (fleet.plausible(spot)));
  create index positions_spot on fleet.positions using gist (spot);
  create index positions_track on fleet.positions using gist (track);
  create index positions_nd on fleet.positions using gist (area gist_geometry_ops_nd);
  create index positions_cell on fleet.positions (fleet.cell(spot), at);
  create index positions_vehicle_at on fleet.positions (vehicle, at desc);
  create index positions_at on fleet.positions using brin (at);
  grant select, insert on fleet.positions to fleet_app;
  insert into fleet.positions (vehicle, at, spot, track, area, height)
    select md5((g % 5)::text)::uuid, t, st_setsrid(st_makepoint(8 + g / 1000.0, 47 - g / 3000.0), 4326),
           case when g % 3 = 0 then st_makeline(st_setsrid(st_makepoint(8, 47), 4326), st_setsrid(st_makepoint(9, 47.5), 4326))::geography end,
           st_buffer(st_setsrid(st_makepoint(900000, 6000000), 3857), g), g / 7.0
      from ${TIMES};
  reset role; reset search_path; analyze fleet.positions;`;

withExtension('postgis')(
  'geometry, with functions that find PostGIS by search_path until they have one',
  async () => {
    const { sql } = archiver().database;
    await sql.unsafe(POSITIONS);
    const { open } = onStack(archiver());
    const untrusted = byMonth('positions');
    expect((await failureOf(walk({ tables: [untrusted], archiver: archiver(), open }))).message).toMatch(
      /call function fleet\.plausible\(extensions\.geometry\) of role fleet_owner/,
    );
    const positions = { ...untrusted, plan: { ...untrusted.plan, trustFunctions: true } };
    const plan = { tables: [positions], archiver: archiver(), open };
    // Found where rows are copied, and rolled back.
    const failure = await failureOf(walk(plan));
    expect(failure.message).toMatch(
      /st_x\(extensions\.geometry\) does not exist, in function fleet\.plausible .*; rolled back/,
    );
    expect(failure.hint).toContain('alter function … set search_path');
    const walked = await walk({
      ...plan,
      beforehand: `alter function fleet.plausible(extensions.geometry) set search_path = extensions, pg_temp`,
    });
    const each = { 'fleet.positions': SAME };
    expect(walked.swapped).toEqual({ 'fleet.positions': extended('fleet.positions', 'id', 'at') });
    expect(walked.asked).toEqual(['grant usage on schema extensions to archiver_trial, archiver_restore;']);
    expect([walked.dropped, walked.archived, walked.back]).toEqual([2, each, each]);
  },
);

const DOCUMENTS = `
  create extension vector schema extensions;
  set role fleet_owner;
  set search_path = fleet, extensions, public;
  create table fleet.documents (
    id uuid primary key default gen_random_uuid(), at timestamptz not null default now(), body text not null,
    embedding vector(3) not null, also vector(3));
  create index documents_hnsw on fleet.documents using hnsw (embedding vector_cosine_ops) with (m = 8, ef_construction = 32);
  create index documents_ivfflat on fleet.documents using ivfflat (also vector_l2_ops) with (lists = 4);
  insert into fleet.documents (at, body, embedding, also)
    select t, 'document ' || g, array[g, 1 / g::float, -g]::vector, array[sqrt(g), 3e38, 1e-30]::vector from ${TIMES};
  reset role; reset search_path; analyze fleet.documents;`;

withExtension('vector')('vectors, with their indexes', async () => {
  const { sql } = archiver().database;
  await sql.unsafe(DOCUMENTS);
  const walked = await walk({ ...onStack(archiver()), tables: [byMonth('documents')] });
  const each = { 'fleet.documents': SAME };
  expect(walked.swapped).toEqual({ 'fleet.documents': extended('fleet.documents', 'id', 'at') });
  expect([walked.dropped, walked.archived, walked.back]).toEqual([2, each, each]);
});
