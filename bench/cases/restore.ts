import { systemClock } from '../../adapters/clock.ts';
import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { s3ArchiveStore } from '../../adapters/s3/archive-store.ts';
import { restore } from '../../core/restore/local.ts';
import { silentLog } from '../../core/ports.ts';
import { archive } from '../lib/archive.ts';
import { BENCH, type Environment } from '../lib/environment.ts';
import { ROUNDS, Samples } from '../lib/measure.ts';
import { atMost, table, type Case } from '../lib/result.ts';
import { shell } from '../lib/shell.ts';
import { makeDetached, NARROW } from '../lib/tables.ts';

/** The longest statement of a restore, its index, takes seconds here. */
const TIMEOUT_MS = 14 * 60_000;

/** A whole restore, content proven, beside psql's \copy from a file and the index builds. */
export const restoreCase: Case = {
  names: ['restore-vs-copy'],
  run: async (environment) => {
    const { sql, quick } = environment;
    const rows = quick ? 200_000 : NARROW.rows;
    const partition = await makeDetached(environment, NARROW, rows);
    await shell(
      environment,
      `psql -Xqc "copy ${partition.schema}.${partition.table} to stdout" > restore.tsv`,
    );
    await archive(environment, NARROW, partition);
    const [row] = await sql<{ key: string }[]>`
      select manifest_key as key from partition_archiver.partition where id = ${partition.id}`;

    const samples = new Samples();
    for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
      await samples.time('restore', () => restoreArchive(environment, row?.key ?? '', 'restored'));
      await sql`drop table app.restored`;
      await samples.time('copy', () => copyByHand(environment, 'copied'));
      await sql`drop table app.copied`;
    }
    return {
      rows: [atMost('restore-vs-copy', samples.ratio('restore', 'copy'), 1.3)],
      figures: table(
        ['what', 'seconds'],
        [
          [
            'restore: checks, import, primary key, every row read again and compared',
            samples.show('restore'),
          ],
          ['psql \\copy from a file, then the primary key; nothing is proven', samples.show('copy')],
        ],
      ),
    };
  },
};

async function restoreArchive(
  { s3, stack, open }: Environment,
  manifestKey: string,
  name: string,
): Promise<void> {
  const { warnings } = await restore(
    { manifestKey, schema: 'app', table: name },
    {
      database: restoreDatabase({ open: () => open('archiver_restore'), timeoutMs: TIMEOUT_MS }),
      store: s3ArchiveStore(s3, BENCH.bucket, stack.s3.region),
      clock: systemClock(),
      log: silentLog,
      segmentsAtOnce: 2,
    },
  );
  if (warnings.length > 0) throw new Error(warnings.join('; '));
}

async function copyByHand(environment: Environment, name: string): Promise<void> {
  await shell(
    environment,
    `psql -Xq -v ON_ERROR_STOP=1 -c "create table app.${name} (${NARROW.columns.replaceAll('\n', ' ')})" \\
       -c "\\copy app.${name} from restore.tsv" \\
       -c "alter table app.${name} add primary key (${NARROW.primaryKey})"`,
  );
}
