#!/bin/sh
# aws-cdk-lib 2.276.0 (constructs 10.8.1): a number that is known at deployment only is a double of about -1.9e289 until then. Arithmetic
# on it is no error and is lost: adding 1, times 1 and the smaller one of it and 5 are the attribute itself in the template.
# Only what changes the double, as a minus sign does, is seen: as the number of 289 digits.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error aws-cdk-lib@2.276.0 constructs@10.8.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { Fn, Stack, Token } from 'aws-cdk-lib';

const stack = new Stack();
const size = Token.asNumber(Fn.getAtt('Volume', 'Size'));
const show = (what, value) => console.log(what, '->', JSON.stringify(stack.resolve(value)));
show('size', size);
show('size + 1', size + 1);
show('size * 1', size * 1);
show('Math.min(size, 5)', Math.min(size, 5));
show('-size > 1e288', -size > 1e288);
PROGRAM

cat >seen <<'SEEN'
size -> {"Fn::GetAtt":["Volume","Size"]}
size + 1 -> {"Fn::GetAtt":["Volume","Size"]}
size * 1 -> {"Fn::GetAtt":["Volume","Size"]}
Math.min(size, 5) -> {"Fn::GetAtt":["Volume","Size"]}
-size > 1e288 -> true
SEEN

node finding.mjs >now
diff seen now
