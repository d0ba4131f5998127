#!/bin/sh
# postgres.js 3.4.9 (postgres on npm): its parser of arrays does not know NULL. In text[] NULL comes as the string 'NULL', like the text
# "NULL" itself, in boolean[] as false, in integer[] as NaN; a NULL that is no element of an array comes as null. With
# another lower bound than 1, the array comes inside of another one. PostgreSQL 15.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error postgres@3.4.9 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
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
as_server "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
  -o "-k $folder/data -c listen_addresses=" start >pg_ctl.log || { cat data/log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import postgres from 'postgres';

const sql = postgres({ host: process.argv[2], user: 'postgres', database: 'postgres', max: 1 });
for (const value of [
  'null::text',
  `array[null, 'NULL', 'x']::text[]`,
  'array[true, null]::boolean[]',
  'array[1, null]::integer[]',
  `'{5,6}'::integer[]`,
  `'[0:1]={5,6}'::integer[]`,
]) {
  const [row] = await sql.unsafe(`select ${value} as value`);
  console.log(value, '->', row.value);
}
await sql.end();
PROGRAM

cat >seen <<'SEEN'
null::text -> null
array[null, 'NULL', 'x']::text[] -> [ 'NULL', 'NULL', 'x' ]
array[true, null]::boolean[] -> [ true, false ]
array[1, null]::integer[] -> [ 1, NaN ]
'{5,6}'::integer[] -> [ 5, 6 ]
'[0:1]={5,6}'::integer[] -> [ [ 5, 6 ] ]
SEEN

node finding.mjs "$folder/data" >now
diff seen now
