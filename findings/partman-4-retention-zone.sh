#!/bin/sh
# pg_partman 4.7.2 (Debian 12's postgresql-15-partman 4.7.2-1) on PostgreSQL 15: retention does not read a partition's upper bound. It adds
# the interval to the lower bound, in the time zone of the session. November of a monthly set that was made in New York ends an
# hour later than a maintenance in UTC computes, so run_maintenance() drops a partition with a row that is younger than the
# retention. show_partition_info() shows the same wrong end. 5.2.4 and 5.5.0 drop that row, too.
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
as_server "$bin/psql" -X -h "$folder/data" -U postgres -qAt -v ON_ERROR_STOP=1 >now 2>notices <<'SQL'
create schema partman;
create extension pg_partman schema partman;
set timezone = 'America/New_York';
create table event (at timestamptz not null) partition by range (at);
select 'create_parent ' || partman.create_parent('public.event', 'at', 'native', 'monthly', p_start_partition := '2025-09-01');
insert into event values ('2025-12-01 04:45+00');
set timezone = 'UTC';
select relname, pg_get_expr(relpartbound, c.oid), at from event e, pg_class c where c.oid = e.tableoid;
select 'show_partition_info: ' || child_end_time from partman.show_partition_info('public.event_p2025_11');
update partman.part_config set retention_keep_table = false,
  retention = extract(epoch from now() - '2025-12-01 04:30+00') || ' seconds' where parent_table = 'public.event';
select 'younger than the retention: ' || (at > now() - retention::interval) from event, partman.part_config;
select partman.run_maintenance('public.event');
select 'rows left: ' || count(*) from event;
SQL

cat >seen <<'SEEN'
create_parent true
event_p2025_11|FOR VALUES FROM ('2025-11-01 04:00:00+00') TO ('2025-12-01 05:00:00+00')|2025-12-01 04:45:00+00
show_partition_info: 2025-12-01 04:00:00+00
younger than the retention: true

rows left: 0
SEEN

diff seen now
