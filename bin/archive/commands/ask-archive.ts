import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { duckDbEngine } from '../../../adapters/duckdb/engine.ts';
import { copyCache } from '../../../adapters/s3/copy-cache.ts';
import { readManifest, type ArchiveStore } from '../../../core/archive-store.ts';
import { ArchiverError } from '../../../core/errors.ts';
import type { Log } from '../../../core/ports.ts';
import { latestCopy } from '../../../core/query/copy-manifest.ts';
import { prepareQuery } from '../../../core/query/query.ts';
import { identifier } from '../../../core/query/views.ts';
import { temporaryFolder } from '../local-folder.ts';

/** The drill has succeeded by now: a folder that cannot be made says nothing against the archive. */
function folderOr(directory: string | undefined): string | Asked {
  try {
    return temporaryFolder(directory);
  } catch (error) {
    if (error instanceof ArchiverError && error.code === 'InvalidInput') return { notAsked: error.message };
    throw error;
  }
}

/** What came of asking an archive by SQL: its rows, or why it was not asked. */
export type Asked = { readonly rows: number } | { readonly notAsked: string };

const MEMORY_MIB = 512;
const DISK_MIB = 20 * 1024;
/** Nothing is wrong with an archive where this machine has no engine, or where its period has two archives. */
const NOT_ASKED = ['QueryEngineMissing', 'ArchivesOverlap'];

/**
 * Counts the rows of one archive by SQL, in its Parquet copy, and compares them with its manifest. Throws `CopyInvalid` where
 * they differ.
 */
export async function askArchive(
  manifestKey: string,
  {
    store,
    log,
    directory,
  }: { readonly store: ArchiveStore; readonly log: Log; readonly directory?: string | undefined },
): Promise<Asked> {
  const stored = await readManifest(store, manifestKey);
  if ((await latestCopy(stored, store)) === null) return { notAsked: 'it has no Parquet copy' };
  const { parentSchema, parentName, lowerBound, upperBound } = stored.manifest.partition;
  const base = folderOr(directory);
  if (typeof base !== 'string') return base;
  const [copies, temporary] = [join(base, 'copies'), join(base, 'temporary')];
  for (const each of [copies, temporary]) mkdirSync(each, { mode: 0o700 });
  try {
    const limits = {
      directory: copies,
      temporary,
      memoryMiB: MEMORY_MIB,
      temporaryMiB: DISK_MIB,
      threads: 2,
    };
    const engine = await duckDbEngine(limits);
    try {
      // Only the table, quoted: DuckDB takes schemas such as `order` and `temp` for something else, and there is one set.
      const sql = `select count(*) as rows from ${identifier(parentName)}`;
      await prepareQuery(
        {
          sql,
          latest: false,
          database: stored.manifest.source.database,
          sets: [{ schema: parentSchema, table: parentName }],
          from: lowerBound,
          to: upperBound,
        },
        { store, cache: copyCache(copies, store, { mostMiB: DISK_MIB }), engine, log },
      );
      const pages = await Array.fromAsync((await engine.run(sql)).rows);
      const rows = Number(pages.flat()[0]?.[0]);
      const said = stored.manifest.contents.rows;
      if (rows === said) return { rows };
      throw new ArchiverError('CopyInvalid', `${manifestKey}: SQL finds ${rows} rows, not ${said}`);
    } finally {
      engine.close();
    }
  } catch (error) {
    if (error instanceof ArchiverError && NOT_ASKED.includes(error.code)) return { notAsked: error.code };
    throw error;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
