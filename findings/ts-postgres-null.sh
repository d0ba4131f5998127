#!/bin/sh
# ts-postgres 2.0.4, PostgreSQL 15: a value of a type that the driver does not decode comes as null, like NULL itself, without
# an error: numeric among them, and interval, time, timetz, ranges, bit, inet and xml. A table that is copied by it loses those
# columns. As a parameter, numeric is refused ("Unsupported data type"). An oid from 2147483648 on comes negative. A cast to
# text is read.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error ts-postgres@2.0.4 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
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

cat >finding.mjs <<'PROGRAM'
import { connect } from 'ts-postgres';

const client = await connect({ host: '127.0.0.1', port: Number(process.argv[2]), user: 'postgres', database: 'postgres' });
for (const value of [
  '1.10::numeric',
  `array[1.10]::numeric[]`,
  `interval '1 day'`,
  `time '12:00'`,
  `timetz '12:00+00'`,
  `'[1,5)'::int4range`,
  `b'101'`,
  `inet '10.0.0.1'`,
  `xml '<a/>'`,
  '3000000000::oid',
  '1.10::numeric::text',
  `timestamptz '1999-12-31 23:59:59.5+00'`,
]) {
  const result = await client.query(`select ${value}, (${value}) is null`);
  const [row] = [...result.rows].map((row) => [...row]);
  console.log(value, '->', row[0], 'is null:', row[1]);
}
await client.end();
PROGRAM

cat >seen <<'SEEN'
1.10::numeric -> null is null: false
array[1.10]::numeric[] -> null is null: false
interval '1 day' -> null is null: false
time '12:00' -> null is null: false
timetz '12:00+00' -> null is null: false
'[1,5)'::int4range -> null is null: false
b'101' -> null is null: false
inet '10.0.0.1' -> null is null: false
xml '<a/>' -> null is null: false
3000000000::oid -> -1294967296 is null: false
1.10::numeric::text -> 1.10 is null: false
timestamptz '1999-12-31 23:59:59.5+00' -> 1999-12-31T23:59:59.500Z is null: false
SEEN

node finding.mjs "$port" >now
diff seen now
