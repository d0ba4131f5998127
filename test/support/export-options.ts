/** How the harnesses of faults and races have segments exported. */
import { readFileSync } from 'node:fs';
import type postgres from 'postgres';
import type { Compression, ExportWay, Proof } from '../../core/config/partition-set.ts';
import { STREAM_VERSION } from '../../core/manifest.ts';

/** Settings of the partition set of a bench. */
export interface ExportOptions {
  readonly export: ExportWay;
  readonly compression?: Compression;
  readonly proof?: Proof;
}

/** The options of a command line for `parseArgs`; the configuration refuses what they do not know. */
export const EXPORT_OPTIONS = {
  export: { type: 'string', default: 'aws_s3' },
  compression: { type: 'string' },
  proof: { type: 'string' },
} as const;

/** The values of these options. */
export function exportOptions(values: {
  readonly [option in keyof ExportOptions]?: string | undefined;
}): ExportOptions {
  const { export: way, compression, proof } = values;
  const given = { export: way, compression, proof };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as unknown as ExportOptions;
}

/**
 * As if a run of this version had proven segments by both readings: without it, all segments of a new database are read
 * twice.
 */
export async function trustOneReading(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into partition_archiver.run (started_at, mode, dry_run, partition_sets, archived, dropped, failed, stream_version,
                                        read_twice)
    values (now() - interval '1 day', 'archive', false, '{}', 0, 0, 0, ${STREAM_VERSION}, 1)`;
}

/** Takes the choice of one segment in 16 out of the installed SQL, so that all runs read alike. */
export async function chooseNoSegment(sql: postgres.Sql): Promise<void> {
  const [choice, none] = ['& 15 <> 0', '& 15 < 16'];
  const text = readFileSync(new URL('../../db/archive/proof.sql', import.meta.url), 'utf8');
  if (!text.includes(choice)) throw new Error(`db/archive/proof.sql has no ${choice}`);
  await sql.unsafe(text.replace(choice, none)).simple();
}
