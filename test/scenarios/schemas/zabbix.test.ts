/** Zabbix: history and trends, whose control column counts seconds since 1970. */
import { expect, test } from '@jest/globals';
import { useArchiver } from '../../support/archiver.ts';
import { makeRoles } from '../../support/roles.ts';
import { onStack, SAME, walk, type WalkedTable } from '../../support/schema-walk.ts';

const archiver = useArchiver();

// The tables as Zabbix's database/postgresql/schema.sql makes them, with one index and one grant of a dashboard.
const SCHEMA = `
  create schema zabbix authorization zabbix;
  grant usage on schema zabbix to grafana;
  set role zabbix;
  create table zabbix.history (
    itemid bigint not null, clock integer default '0' not null, value double precision default '0.0000' not null,
    ns integer default '0' not null, primary key (itemid, clock, ns));
  create table zabbix.history_uint (
    itemid bigint not null, clock integer default '0' not null, value numeric(20) default '0' not null,
    ns integer default '0' not null, primary key (itemid, clock, ns));
  create table zabbix.trends (
    itemid bigint not null, clock integer default '0' not null, num integer default '0' not null,
    value_min double precision default '0.0000' not null, value_avg double precision default '0.0000' not null,
    value_max double precision default '0.0000' not null, primary key (itemid, clock));
  create index history_clock on zabbix.history (clock);
  grant select on all tables in schema zabbix to grafana;
  reset role;`;

// Five days of values each ten minutes, and five months of trends each hour.
const ROWS = `
  insert into zabbix.history
    select item, extract(epoch from now())::integer - g * 600, sqrt(g) / 3, g % 1000000000
      from generate_series(1, 720) g, generate_series(23296, 23298) item;
  insert into zabbix.history_uint
    select item, extract(epoch from now())::integer - g * 600, 18446744073709551615 - g, g
      from generate_series(1, 720) g, generate_series(23300, 23301) item;
  insert into zabbix.trends
    select 23296, extract(epoch from t)::integer, 6, -g, g / 7.0, 'Infinity'
      from generate_series(date_trunc('month', now()) - interval '5 months', now(), '1 hour') with ordinality as x (t, g);
  analyze zabbix.history, zabbix.history_uint, zabbix.trends;`;

const bySeconds = (table: string, interval: string, retention: string): WalkedTable => ({
  schema: 'zabbix',
  table,
  plan: { control: 'clock', epoch: 'seconds', interval, retention, mode: 'online' },
});

test('history and trends by seconds since 1970: nothing but their partitions is new, and all of it comes back', async () => {
  const { sql } = archiver().database;
  await makeRoles(sql, 'zabbix', 'grafana');
  await sql.unsafe(SCHEMA);
  await sql.unsafe(ROWS);
  const walked = await walk({
    ...onStack(archiver()),
    tables: [
      bySeconds('history', '1 day', '3 days'),
      bySeconds('history_uint', '1 day', '3 days'),
      bySeconds('trends', '1 month', '3 months'),
    ],
  });
  const each = { 'zabbix.history': SAME, 'zabbix.history_uint': SAME, 'zabbix.trends': SAME };
  expect(walked.proposed['zabbix.history']).toContain('--control clock --epoch seconds --interval');
  expect(walked.swapped).toEqual(each);
  expect([walked.dropped, walked.archived]).toEqual([6, each]);
  expect(walked.back).toEqual(each);
});
