#!/bin/sh
# zod 4.6.7, ajv 8.20.0 (with ajv-formats 3.0.1): in z.toJSONSchema() the checks startsWith(), includes(), lowercase() and base64() give a
# `format` that JSON Schema does not have ("starts_with", "includes" and so on), beside the pattern that says all. ajv's strict
# mode, its default, refuses to compile such a schema, even with ajv-formats. regex() and uuid() compile.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error zod@4.6.7 ajv@8.20.0 ajv-formats@3.0.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as z from 'zod';

const ajv = formats.default(new Ajv2020());
for (const [name, type] of Object.entries({
  regex: z.string().regex(/a/),
  uuid: z.uuid(),
  startsWith: z.string().startsWith('a'),
  includes: z.string().includes('a'),
  lowercase: z.string().lowercase(),
  base64: z.base64(),
})) {
  try {
    ajv.compile(z.toJSONSchema(type));
    console.log(name, '-> compiles');
  } catch (error) {
    console.log(name, '->', error.message);
  }
}
PROGRAM

cat >seen <<'SEEN'
regex -> compiles
uuid -> compiles
startsWith -> unknown format "starts_with" ignored in schema at path "#"
includes -> unknown format "includes" ignored in schema at path "#"
lowercase -> unknown format "lowercase" ignored in schema at path "#"
base64 -> unknown format "base64" ignored in schema at path "#"
SEEN

node finding.mjs >now
diff seen now
