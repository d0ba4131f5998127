import type { RunReport } from '../../core/archive/report.ts';
import type { FindReport } from '../../core/audit/find-report.ts';
import type { RestoreReport } from '../../core/restore/report.ts';
import { outputOf } from '../account.ts';
import { COUNT_QUARANTINED, COUNT_ROWS, countDifferences, OBSOLETE, RESTORED, ROWS, SET } from '../rows.ts';
import { must, step, type Step } from '../step.ts';

export const ARCHIVE: Step = step(
  'archive',
  'a run archives and proves each partition past the retention, and drops none',
  async (account) => ({
    report: outputOf(await account.execute('Archive', { archiveOnly: true }, 60)) as RunReport,
    quarantined: (await account.sql<{ tables: number }>(COUNT_QUARANTINED))[0]?.tables,
  }),
  ({ report: { archived, dropped, failed, partitions, summary }, quarantined }) => {
    must(
      archived >= OBSOLETE && failed === 0,
      `${String(archived)} archived, ${String(failed)} failed: ${summary}`,
    );
    must(dropped === 0, `${String(dropped)} dropped, though archiveOnly was asked for`);
    must(
      partitions.every(({ state }) => state === 'verified'),
      'a partition is not verified',
    );
    must(
      quarantined === archived,
      `${String(quarantined)} tables are in quarantine, not ${String(archived)}`,
    );
    return summary;
  },
);

export const DROP: Step = step(
  'drop',
  'what is proven is dropped, and every row is in the table or in an archive',
  async (account) => ({
    report: outputOf(await account.execute('Archive', { only: 'drop' }, 60)) as RunReport,
    quarantined: (await account.sql<{ tables: number }>(COUNT_QUARANTINED))[0]?.tables,
    left: (await account.sql<{ rows: number }>(COUNT_ROWS))[0]?.rows ?? 0,
  }),
  ({ report: { dropped, failed, partitions, summary }, quarantined, left }) => {
    must(
      dropped >= OBSOLETE && failed === 0,
      `${String(dropped)} dropped, ${String(failed)} failed: ${summary}`,
    );
    must(quarantined === 0, `${String(quarantined)} tables are in quarantine`);
    const archived = partitions.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
    must(
      left + archived === ROWS,
      `${String(left)} rows are left and ${String(archived)} archived, of ${String(ROWS)}`,
    );
    return `${summary}; ${String(left)} rows left and ${String(archived)} archived, of ${String(ROWS)}`;
  },
);

export const RESTORE: Step = step(
  'restore',
  'an archive becomes a table with the same rows',
  async (account) => {
    const { archives } = outputOf(
      await account.execute('Find', { partitionSet: `${SET.schema}.${SET.table}` }),
    ) as FindReport;
    const [first] = archives;
    must(first !== undefined, 'Find found no archive');
    const request = { manifestKey: first.manifestKey, table: RESTORED };
    const report = outputOf(await account.execute('Restore', request)) as RestoreReport;
    const [compared] = await account.sql<{ rows: number; differences: number }>(
      countDifferences(first.period),
    );
    return { report, compared, key: first.manifestKey };
  },
  ({ report: { restored, incomplete }, compared, key }) => {
    must(
      restored === 1 && incomplete === 0,
      `${String(restored)} restored, ${String(incomplete)} incomplete`,
    );
    must(compared !== undefined && compared.rows > 0, 'the restored table has no rows');
    must(compared.differences === 0, `the restored table differs in ${String(compared.differences)} rows`);
    return `${key}: ${String(compared.rows)} rows, each as it was`;
  },
);
