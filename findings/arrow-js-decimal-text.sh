#!/bin/sh
# apache-arrow 21.2.0 (npm): -1.50 as a decimal of scale 2 is -150 for Number(), whatever the width. Its text is -150 in 128 bits only: in 64
# bits String() prints the unsigned number 18446744073709551466, in 256 bits "-0", and "0" for 1.50. JSON.stringify() prints
# the same texts.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error apache-arrow@21.2.0 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { Decimal, Vector, makeData } from 'apache-arrow';

for (const [bits, precision] of [[64, 15], [128, 38], [256, 76]]) {
  // -150 and 150, the scaled integers of -1.50 and 1.50, in little endian.
  const data = new Uint32Array((2 * bits) / 32);
  data.fill(0xffffffff, 0, bits / 32);
  data[0] = 2 ** 32 - 150;
  data[bits / 32] = 150;
  const vector = new Vector([makeData({ type: new Decimal(2, precision, bits), length: 2, data })]);
  const values = [...vector];
  console.log(bits, 'bits: Number', values.map(Number).join(' '), 'String', values.map(String).join(' '));
}
PROGRAM

cat >seen <<'SEEN'
64 bits: Number -150 150 String 18446744073709551466 150
128 bits: Number -150 150 String -150 150
256 bits: Number -150 150 String -0 0
SEEN

node finding.mjs >now
diff seen now
