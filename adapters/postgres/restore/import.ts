import { ArchiverError } from '../../../core/errors.ts';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CompressedText } from '../../../core/ports.ts';
import type { Manifest } from '../../../core/manifest.ts';
import { PINS } from '../../../core/pins.ts';
import { LineDigester } from '../../../core/proof/line-digest.ts';
import type { ImportSource, RestoreDatabase } from '../../../core/restore/database.ts';
import type { Transaction } from '../connect.ts';
import { translate } from '../errors.ts';
import { quoteIdentifier } from '../quote.ts';
import { set, WORK_SCHEMA, type Sessions } from './sessions.ts';

/** What `partition_archiver.begin_import` returns. */
interface BegunImport {
  readonly table: string;
  readonly copy: Manifest['copy'];
  readonly keys: readonly string[];
  /** Of compressed objects. */
  readonly text: CompressedText | null;
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
        // It decompresses what has the metadata Content-Encoding: gzip, and nothing else.
        const isByAwsS3 = begun.text?.compression !== 'zstd' && from.hasAwsS3 && (await hasAwsS3(tx));
        const rows = isByAwsS3 ? await importObjects(tx, begun, from) : await streamIn(tx, begun, from);
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

/** Without the extension, the rows come through this process. */
async function hasAwsS3(transaction: Transaction): Promise<boolean> {
  const [{ there }] = await transaction<[{ there: boolean }]>`
    select exists (select from pg_extension where extname = 'aws_s3') as there`;
  return there;
}

/**
 * Copies the objects of a segment into the table, and returns their lines. A row may run across the border of two objects.
 * What arrives is proven afterwards, as that of aws_s3 is.
 */
async function streamIn(
  transaction: Transaction,
  { table, copy, keys, text: compressed }: BegunImport,
  { readCurrent }: Pick<ImportSource, 'readCurrent'>,
): Promise<number> {
  if (keys.length === 0) return 0;
  const digester = new LineDigester();
  async function* text(): AsyncGenerator<Buffer> {
    for (const key of keys) {
      for await (const chunk of readCurrent(key, compressed ?? undefined)) {
        digester.update(chunk);
        yield chunk;
      }
    }
  }
  const target = `${WORK_SCHEMA}.${quoteIdentifier(table)} (${copy.columns})`;
  const copying = await transaction.unsafe(`copy ${target} from stdin with (${copy.options})`).writable();
  await pipeline(Readable.from(text()), copying);
  return digester.digest().rows;
}

async function importObjects(
  transaction: Transaction,
  begun: BegunImport,
  { bucket, region }: ImportSource,
): Promise<number> {
  let rows = 0;
  for (const key of begun.keys) rows += await importObject(transaction, begun, { bucket, region, key });
  return rows;
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
    throw ofImport(translate(error, `import of ${key}`));
  }
}

/** aws_s3 raises the same SQLSTATEs for imports as for exports. */
function ofImport(error: unknown): unknown {
  if (!(error instanceof ArchiverError)) return error;
  if (error.code === 'ExportDenied') return new ArchiverError('ImportDenied', error.message);
  if (error.code === 'ExportFailed') return new ArchiverError('ImportFailed', error.message);
  return error;
}
