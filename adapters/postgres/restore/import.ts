import { ArchiverError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/manifest.ts';
import { PINS } from '../../../core/pins.ts';
import type { RestoreDatabase } from '../../../core/restore/database.ts';
import { translated, type Transaction } from '../connect.ts';
import { set, WORK_SCHEMA, type Sessions } from './sessions.ts';

/** What `partition_archiver.begin_import` returns. */
interface BegunImport {
  readonly table: string;
  readonly copy: Manifest['copy'];
  readonly keys: readonly string[];
}

/** The data of a restore, and the statements that follow it. */
export function loadOn({
  transaction,
  detached,
}: Sessions): Pick<RestoreDatabase, 'importSegment' | 'runNextStatement'> {
  return {
    importSegment: (restoreId, segmentNumber, from) =>
      transaction(`import of segment ${segmentNumber}`, async (tx) => {
        const [{ begun }] = await tx<[{ begun: BegunImport | null }]>`
          select partition_archiver.begin_import(${restoreId}::bigint, ${segmentNumber}::integer) as begun`;
        if (begun === null) return null;
        await set(tx, begun.copy.pins);
        let rows = 0;
        for (const key of begun.keys) rows += await importObject(tx, begun, { ...from, key });
        await tx`select partition_archiver.record_import(${restoreId}::bigint, ${segmentNumber}::integer, ${rows}::bigint)`;
        return rows;
      }),

    runNextStatement: async (restoreId) => {
      const doing = `the next statement after the data of restore ${restoreId}`;
      const call = `select partition_archiver.run_restore_statement(${restoreId}) as number`;
      return (await detached(doing, PINS, call)) as number | null;
    },
  };
}

/** Imports one object and returns how many rows aws_s3 said it had: "N rows imported into relation …". */
async function importObject(
  transaction: Transaction,
  { table, copy }: BegunImport,
  { bucket, region, key }: { readonly bucket: string; readonly region: string; readonly key: string },
): Promise<number> {
  try {
    const [{ said }] = await transaction<[{ said: string }]>`
      select aws_s3.table_import_from_s3(${`${WORK_SCHEMA}.${table}`}::text, ${copy.columns}::text, ${`(${copy.options})`}::text,
               aws_commons.create_s3_uri(${bucket}::text, ${key}::text, ${region}::text)) as said`;
    return Number.parseInt(said, 10);
  } catch (error) {
    throw ofImport(
      await translated(`import of ${key}`, () => Promise.reject(error as Error)).catch((e: unknown) => e),
    );
  }
}

/** aws_s3 raises the same SQLSTATEs for imports as for exports. */
function ofImport(error: unknown): unknown {
  if (!(error instanceof ArchiverError)) return error;
  if (error.code === 'ExportDenied') return new ArchiverError('ImportDenied', error.message);
  if (error.code === 'ExportFailed') return new ArchiverError('ImportFailed', error.message);
  return error;
}
