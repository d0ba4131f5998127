#!/bin/sh
# pg_partman 4.7.2 (Debian 12's postgresql-15-partman 4.7.2-1), native partitioning, PostgreSQL 15. Two things:
# - retention_keep_index = false is accepted and does nothing: a partition that run_maintenance() detaches keeps its index.
#   (5.0 and later drop it.)
# - create_parent() with a start makes a time set's partitions from there until now; an id set's are the one of the start
#   and `premake` more, and rows above go into the default partition without a word.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download postgresql-15 postgresql-client-15 postgresql-15-partman=4.7.2-1 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
for file in *.deb; do dpkg -x "$file" root; done
bin=$folder/root/usr/lib/postgresql/15/bin

# The server refuses to run as root.
as_server() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=nobody --clear-groups "$@"; else "$@"; fi; }
stop() { if [ -e data/postmaster.pid ]; then as_server "$bin/pg_ctl" -D data -m immediate -w stop >pg_ctl.log; fi; }
trap 'stop; rm -rf "$folder"' EXIT
chmod 755 .
mkdir data
[ "$(id -u)" -ne 0 ] || chown nobody data
as_server "$bin/initdb" -D "$folder/data" -A trust -U postgres >initdb.log 2>&1 || { cat initdb.log >&2; exit 2; }
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=" start >pg_ctl.log || { cat data/log >&2; exit 2; }
# Only the server's account may go into its folder, where the socket is.
as_server "$bin/psql" -X -h "$folder/data" -U postgres -qAt -v ON_ERROR_STOP=1 >now <<'SQL'
create schema partman;
create extension pg_partman schema partman;
create table event (id bigint, at timestamptz not null, note text) partition by range (at);
create index on event (note);
select 'create_parent ' || partman.create_parent('public.event', 'at', 'native', 'yearly', p_start_partition := '2020-01-01', p_premake := 2);
select 'from 2020 until now: ' || (count(*) filter (where relname < to_char(now(), '"event_p"YYYY')) = extract(year from now()) - 2020)
  from pg_class where relname like 'event\_p____';
update partman.part_config set retention = '1 year', retention_keep_table = true, retention_keep_index = false
 where parent_table = 'public.event';
select partman.run_maintenance('public.event');
select 'detached from 2020 on: ' || bool_and(not relispartition) || ', each with an index: ' ||
    bool_and(exists (select from pg_index where indrelid = pg_class.oid))
  from pg_class where relname in ('event_p2020', 'event_p2021', 'event_p2022', 'event_p2023');
create table item (id bigint not null) partition by range (id);
select 'create_parent ' || partman.create_parent('public.item', 'id', 'native', '100', p_start_partition := '1000', p_premake := 2);
select relname from pg_class where relname like 'item\_p%' order by 1;
insert into item values (5000);
select tableoid::regclass from item;
SQL

cat >seen <<'SEEN'
create_parent true
from 2020 until now: true

detached from 2020 on: true, each with an index: true
create_parent true
item_p1000
item_p1100
item_p1200
item_default
SEEN
diff seen now
