import { counted } from '../counted.ts';
import { ArchiverError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { LineDigester, type LineDigest } from '../proof/line-digest.ts';
import type { RestoreDatabase } from './database.ts';

/** Reads one range of the restored table and records its rows, bytes and line-hash sum; one that is read is left alone. */
export async function proveRange(
  restoreId: number,
  range: number,
  { database, log }: { readonly database: RestoreDatabase; readonly log: Log },
): Promise<void> {
  const digest = await database.readRange(restoreId, range, digestOf);
  if (digest === null) return;
  await database.recordRange(restoreId, range, digest);
  log.info('prove', { restoreId, range, rows: digest.rows, bytes: digest.bytes });
}

async function digestOf(rows: AsyncIterable<Buffer>): Promise<LineDigest> {
  const digester = new LineDigester();
  for await (const chunk of rows) digester.update(chunk);
  return digester.digest();
}

/**
 * Compares what the ranges add up to with the manifest. Where they differ, the table is dropped again, and
 * `ArchiveDamaged` is thrown.
 */
export async function requireProof(restoreId: number, database: RestoreDatabase): Promise<void> {
  const found = await database.prove(restoreId);
  if (found.proven) return;
  await database.cancel(restoreId);
  const { expected } = found;
  throw new ArchiverError(
    'ArchiveDamaged',
    `the restored table has ${counted(found.rows, 'row')}, ${counted(found.bytes, 'byte')} and line-hash sum ${found.lineHashSum}, ` +
      `its manifest says ${expected.rows}, ${expected.bytes} and ${expected.lineHashSum}; it was dropped again`,
  );
}
