#!/bin/sh
# fflate 0.8.3: a gzip file may have several members, as `cat a.gz b.gz` makes one; gzip prints all. gunzipSync() takes the size from the end
# of the file, which is the last member's, and fills it with the first member: of 17 bytes and 4 bytes it returns the first 4,
# in the middle of a line. No error. The class Gunzip returns both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error fflate@0.8.3 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { Gunzip, gunzipSync, strFromU8 } from 'fflate';
import { gunzipSync as nodeGunzipSync, gzipSync } from 'node:zlib';

const show = (what, text) => console.log(what, '->', JSON.stringify(text));
const long = gzipSync('1,first\n2,second\n');
const short = gzipSync('3,x\n');
for (const [order, members] of [['long, short', [long, short]], ['short, long', [short, long]]]) {
  const file = Buffer.concat(members);
  show(`${order}: node:zlib`, nodeGunzipSync(file).toString());
  show(`${order}: gunzipSync`, strFromU8(gunzipSync(file)));
  let text = '';
  new Gunzip((piece) => (text += strFromU8(piece))).push(file, true);
  show(`${order}: Gunzip`, text);
}
PROGRAM

cat >seen <<'SEEN'
long, short: node:zlib -> "1,first\n2,second\n3,x\n"
long, short: gunzipSync -> "1,fi"
long, short: Gunzip -> "1,first\n2,second\n3,x\n"
short, long: node:zlib -> "3,x\n1,first\n2,second\n"
short, long: gunzipSync -> "3,x\n"
short, long: Gunzip -> "3,x\n1,first\n2,second\n"
SEEN

node finding.mjs >now
diff seen now
