import { readFileSync } from 'node:fs';
import type postgres from 'postgres';
import { displayName } from '../../core/config/display-name.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Archiver } from './archiver.ts';
import { inState, type LedgerLine } from './ledger.ts';
import type { ExportOptions } from './export-options.ts';
import { createPartitionSet, type PartitionSetOptions } from './partition-sets.ts';

/** A partition set with cold partitions that are archived, proven, and due to be dropped at once, but still there. */
export async function createVerifiedPartitions(
  archiver: Archiver,
  options: PartitionSetOptions & {
    readonly cold: number;
    readonly segmentSizeMiB?: number;
    readonly way?: ExportOptions;
  },
): Promise<LedgerLine[]> {
  const { cold, segmentSizeMiB = 1024, way = { export: 'aws_s3' }, ...rest } = options;
  const set = await createPartitionSet(archiver.database.sql, {
    months: cold + 2,
    retention: '2 months',
    rowsPerMonth: 50,
    ...rest,
  });
  const { schema, table } = set;
  const config = archiver.config([{ schema, table, drop: true, graceDays: 0, segmentSizeMiB, ...way }]);
  await archiver.run(config, { archiveOnly: true, partitionSets: [displayName(schema, table)] });
  const verified = await inState(archiver.database.sql, 'verified', table);
  if (verified.length !== cold)
    throw new Error(`${String(verified.length)} are verified, not ${String(cold)}`);
  return verified;
}

/** The error of the catalogue that `work` ends with; a failure of the test if it ends otherwise. */
export async function failureOf(work: Promise<unknown>): Promise<ArchiverError> {
  let answer: unknown;
  try {
    answer = await work;
  } catch (error) {
    if (error instanceof ArchiverError) return error;
    throw error;
  }
  throw new Error(`it succeeded: ${JSON.stringify({ answer })}`);
}

class RolledBack extends Error {}

/**
 * What a drop returns from whose source a check was cut out: the name of the table that it dropped. Nothing of it stays.
 */
export async function dropWithout(
  sql: postgres.Sql,
  [check, instead]: readonly [RegExp, string],
  line: LedgerLine,
  isolation = 'read committed',
): Promise<string> {
  const source = readFileSync(new URL('../../db/archive/drop.sql', import.meta.url), 'utf8');
  const weakened = source.replace(check, instead);
  if (weakened === source) throw new Error(`db/archive/drop.sql has no ${String(check)}`);
  let answer = '';
  try {
    await sql.begin(`isolation level ${isolation}`, async (tx) => {
      await tx.unsafe(weakened);
      const [row] = await tx<[{ dropped: string }]>`
        select partition_archiver.drop_verified(${line.id}::bigint, ${line.manifestVersionId}) as dropped`;
      answer = row.dropped;
      throw new RolledBack();
    });
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
  }
  return answer;
}
