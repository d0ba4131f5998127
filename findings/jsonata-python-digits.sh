#!/bin/sh
# jsonata-python 0.7.1, against jsonata 2.2.2 of npm, whose language Step Functions has: a whole number of 16 digits or more loses
# digits where it becomes a text, by $string() or &: 1000000000000001 is "1e+15", so two ids or times in microseconds are one key.
# And % cuts both numbers to whole ones before it divides: 5.5 % 2 is 1. No error. The number itself is kept, and texts of up to
# 15 digits are the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
{ python3 -m venv venv && venv/bin/pip install --quiet jsonata-python==0.7.1; } >pip.log 2>&1 || { cat pip.log >&2; exit 2; }
npm install --no-audit --no-fund --loglevel=error jsonata@2.2.2 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >expressions.json <<'EXPRESSIONS'
["$string(999999999999999)", "$string(1000000000000001)", "'at ' & 1764547200000123", "1764547200000123", "5.5 % 2", "-1.5 % 1"]
EXPRESSIONS

cat >npm.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';

for (const expression of JSON.parse(readFileSync('expressions.json', 'utf8'))) {
  console.log(expression, 'is', JSON.stringify(await jsonata(expression).evaluate({})));
}
PROGRAM

cat >finding.py <<'PROGRAM'
import json

import jsonata

for expression in json.load(open("expressions.json")):
    print(expression, "is", json.dumps(jsonata.Jsonata(expression).evaluate({})))
PROGRAM

cat >seen <<'SEEN'
of npm:
$string(999999999999999) is "999999999999999"
$string(1000000000000001) is "1000000000000001"
'at ' & 1764547200000123 is "at 1764547200000123"
1764547200000123 is 1764547200000123
5.5 % 2 is 1.5
-1.5 % 1 is -0.5
in Python:
$string(999999999999999) is "999999999999999"
$string(1000000000000001) is "1e+15"
'at ' & 1764547200000123 is "at 1.76454720000012e+15"
1764547200000123 is 1764547200000123
5.5 % 2 is 1
-1.5 % 1 is 0
SEEN

{ echo "of npm:" && node npm.mjs && echo "in Python:" && venv/bin/python finding.py; } >now
diff seen now
