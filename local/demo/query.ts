import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../adapters/clock.ts';
import { duckDbEngine } from '../../adapters/duckdb/engine.ts';
import { copyDisk } from '../../adapters/parquet/disk.ts';
import { makeS3Client } from '../../adapters/s3/client.ts';
import { copyCache } from '../../adapters/s3/copy-cache.ts';
import { s3CopyStore } from '../../adapters/s3/copy-store.ts';
import { readManifest } from '../../core/archive-store.ts';
import { find } from '../../core/audit/find.ts';
import { silentLog } from '../../core/ports.ts';
import { convert } from '../../core/query/convert.ts';
import { prepareQuery } from '../../core/query/query.ts';
import type { LocalStack } from '../stack.ts';
import { DEMO, withDatabase } from './environment.ts';

/** A query over the archived months, and what it gave before they were archived. */
export interface QueryCheck {
  readonly sql: string;
  readonly lines: readonly string[];
  /** Bytes of text that were converted, and of the copies. */
  readonly textBytes: number;
  readonly copyBytes: number;
  readonly same: boolean;
}

const SET = { schema: 'public', table: 'flights' } as const;
const ROWS_SHOWN = 5;

/** Converts every archive and asks them in SQL; asks PostgreSQL the same of the copy from before. */
export async function checkQuery(stack: LocalStack, directory: string): Promise<QueryCheck> {
  const folder = join(directory, 'query');
  const copies = join(folder, 'copies');
  const temporary = join(folder, 'temporary');
  for (const each of [copies, temporary]) mkdirSync(each, { recursive: true });
  const s3 = makeS3Client({ ...stack.s3, credentials: stack.s3 });
  const store = s3CopyStore(s3, DEMO.bucket, stack.s3.region, folder);
  const engine = await duckDbEngine({
    directory: copies,
    temporary,
    memoryMiB: 512,
    temporaryMiB: 1024,
    threads: 2,
  });
  try {
    const { archives } = await find(SET, { store });
    let [textBytes, copyBytes] = [0, 0];
    for (const { manifestKey, versionId } of archives) {
      const archive = await readManifest(store, manifestKey, versionId);
      const ports = {
        store,
        disk: copyDisk(folder, 'partition-archiver'),
        clock: systemClock(),
        log: silentLog,
      };
      const unique = (): string => randomBytes(4).toString('hex');
      const { copy } = await convert(archive, { rebuild: false }, { ...ports, unique });
      textBytes += copy.manifest.contents.textBytes;
      copyBytes += copy.manifest.contents.bytes;
    }
    const from = archives[0]?.lowerBound ?? '';
    const to = archives.at(-1)?.upperBound ?? '';
    const select = `select origin, count(*)::bigint as flights, sum(delay)::bigint as delay, round(avg(delay), 2)::decimal(10,2) as average
  from flights where date >= '${from}' and date < '${to}' group by origin order by flights desc, origin`;
    const cache = copyCache(copies, store, { mostMiB: 10_240 });
    await prepareQuery({ sql: select, latest: true }, { store, cache, engine, log: silentLog });
    const { rows } = await engine.run(select);
    const answer: string[] = [];
    for await (const chunk of rows) answer.push(...chunk.map((row) => row.map(String).join('  ')));
    const before = await withDatabase(stack, DEMO.reference, (sql) =>
      sql.unsafe(select.replace('from flights', 'from public.flights')).values(),
    );
    const expected = before.map((row) => row.map(String).join('  '));
    return {
      sql: select,
      lines: answer.slice(0, ROWS_SHOWN),
      textBytes,
      copyBytes,
      same: answer.length > 0 && answer.join('\n') === expected.join('\n'),
    };
  } finally {
    engine.close();
    s3.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}
