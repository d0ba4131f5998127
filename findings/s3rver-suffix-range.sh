#!/bin/sh
# s3rver 3.7.1, an S3 stand-in for tests. A range of the last bytes, by which readers of Parquet begin, is taken for one of the
# first: of 0123456789, bytes=-4 is 01234, with status 206. A listing with a delimiter leaves out a folder that has only folders,
# such as year=2026/ above month=01/, and says that it is not truncated. A PUT with If-None-Match: * overwrites, and one with
# another body's Content-MD5 is stored. No error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error s3rver@3.7.1 >npm.log 2>&1 || { cat npm.log >&2; exit 2; }

cat >finding.mjs <<'PROGRAM'
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import S3rver from 's3rver';

const directory = mkdtempSync(join(process.cwd(), 'data-'));
const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name: 'bucket' }] });
const { port } = await server.run();
const ask = (path, options) => fetch(`http://127.0.0.1:${port}/bucket${path}`, options);

for (const key of ['a/1', 'b/2/1', 'year=2026/month=01/1', 'digits']) await ask(`/${key}`, { method: 'PUT', body: '0123456789' });
for (const range of ['bytes=-4', 'bytes=6-', 'bytes=2-4']) {
  const response = await ask('/digits', { headers: { range } });
  console.log(range, response.status, response.headers.get('content-range'), await response.text());
}
const list = await (await ask('?list-type=2&delimiter=/')).text();
console.log('prefixes:', [...list.matchAll(/<CommonPrefixes><Prefix>([^<]*)/g)].map(([, prefix]) => prefix).join(' '));
console.log(/<IsTruncated>[a-z]*/.exec(list)[0]);
const md5 = createHash('md5').update('other').digest('base64');
for (const headers of [{ 'if-none-match': '*' }, { 'content-md5': md5 }]) {
  const { status } = await ask('/digits', { method: 'PUT', body: JSON.stringify(headers), headers });
  console.log(status, await (await ask('/digits')).text());
}
await server.close();
PROGRAM

cat >seen <<'SEEN'
bytes=-4 206 bytes 0-4/10 01234
bytes=6- 206 bytes 6-9/10 6789
bytes=2-4 206 bytes 2-4/10 234
prefixes: a/
<IsTruncated>false
200 {"if-none-match":"*"}
200 {"content-md5":"eV8yArF8trw9S3cdjGyerw=="}
SEEN

node finding.mjs >now
diff seen now
