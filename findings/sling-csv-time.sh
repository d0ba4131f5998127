#!/bin/sh
# sling-linux-amd64 1.4.11 (Sling's program on PyPI), PostgreSQL 15: a table written to a CSV file. A timetz is an empty field, as
# NULL is. A time of day is a timestamp of the year 0 in quotes that belong to the value, which COPY cannot read back, and of a
# bytea the bytes that are no UTF-8 are U+FFFD, so ff is lost. The run ends in success. Timestamps and numeric of any precision
# are right.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet sling-linux-amd64==1.4.11; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
apt-get -qq download postgresql-15 postgresql-client-15 >apt.log 2>&1 || { cat apt.log >&2; exit 2; }
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
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=127.0.0.1 -p $port" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >finding.py <<'PROGRAM'
import csv

with open("out.csv", encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        for name, value in row.items():
            print(name, ascii(value))
PROGRAM

cat >seen <<'SEEN'
id '1'
n '12345678901234567890.123456789'
moment '1969-07-20 20:17:40.5 +00'
t '"0000-01-01T20:17:40.5Z"'
tz ''
b '\ufffd,\n'
SEEN

cat >make.sql <<'SQL'
create table samples (id integer primary key, n numeric, moment timestamptz, t time, tz timetz, b bytea);
insert into samples values (1, 12345678901234567890.123456789, '1969-07-20 20:17:40.5+00', '20:17:40.5', '20:17:40+02', '\xff2c0a');
SQL
"$bin/psql" -q -h "$folder/data" -p "$port" -U postgres -d postgres -f make.sql
sling=$(ls venv/lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64)
chmod +x "$sling"
HOME=$folder SLING_DISABLE_TELEMETRY=true PG="postgresql://postgres@127.0.0.1:$port/postgres?sslmode=disable" "$sling" run \
  --src-conn PG --src-stream public.samples --tgt-object "file://$folder/out.csv" >sling.log 2>&1 || { cat sling.log >&2; exit 2; }
venv/bin/python finding.py >now
diff seen now
