#!/bin/sh
# pg-copy-streams-binary 2.2.0 (with pg 8.23.1, pg-copy-streams 7.0.0), PostgreSQL 15: values of COPY's binary format that are
# read and written back. An infinite timestamptz is read as an invalid Date, and written without an error as 2000-01-01,
# PostgreSQL's own zero. Of microseconds the milliseconds are left, rounded up before 2000 and down after it. The null of jsonb is
# NULL, and its numbers go through a double.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error pg-copy-streams-binary@2.2.0 pg@8.23.1 pg-copy-streams@7.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }
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
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import streams from 'pg-copy-streams';
import binary from 'pg-copy-streams-binary';

const client = new pg.Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
await client.connect();
await client.query("set timezone = 'UTC'");
const shown = async (sql) => (await client.query(`select ${sql} as shown`)).rows[0].shown;
for (const [type, text] of [
  ['timestamptz', 'infinity'],
  ['timestamptz', '-infinity'],
  ['timestamptz', '1969-07-20 20:17:40.123456+00'],
  ['timestamptz', '2026-01-01 00:00:00.123956+00'],
  ['jsonb', 'null'],
  ['jsonb', '9007199254740993'],
]) {
  await client.query(`create temporary table wide (v ${type})`);
  await client.query('insert into wide values ($1)', [text]);
  const rows = [];
  const collect = new Writable({ objectMode: true, write: (row, _, done) => (rows.push(row), done()) });
  const out = client.query(streams.to('copy wide to stdout binary'));
  await pipeline(out, binary.rowReader({ mapping: [{ key: 'v', type }] }), collect);
  await client.query('truncate wide');
  const fields = rows.map(({ v }) => [{ type, value: v }]);
  await pipeline(Readable.from(fields), binary.rowWriter(), client.query(streams.from('copy wide from stdin binary')));
  console.log(`${type} ${text}: ${String(await shown("(select coalesce(v::text, '(NULL)') from wide)"))}`);
  await client.query('drop table wide');
}
await client.end();
PROGRAM

cat >seen <<'SEEN'
timestamptz infinity: 2000-01-01 00:00:00+00
timestamptz -infinity: 2000-01-01 00:00:00+00
timestamptz 1969-07-20 20:17:40.123456+00: 1969-07-20 20:17:40.124+00
timestamptz 2026-01-01 00:00:00.123956+00: 2026-01-01 00:00:00.123+00
jsonb null: (NULL)
jsonb 9007199254740993: 9007199254740992
SEEN

node finding.mjs "$folder/data" >now
diff seen now
