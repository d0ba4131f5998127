import type { DrillDatabase, GoodDrill } from '../../../core/restore/drill.ts';
import { translated, type Connection } from '../connect.ts';

/** What a drill needs besides the steps of a restore, on PostgreSQL. */
export function drillDatabase(connection: Connection): DrillDatabase {
  return {
    endDrill: (restore) =>
      translated('ending the drill', async () => {
        const [row] = await connection<[{ drill: GoodDrill }]>`
          select partition_archiver.end_drill(${restore}::bigint) as drill`;
        return row.drill;
      }),

    abandonOldDrills: (olderThanDays) =>
      translated('dropping what drills left behind', async () => {
        const [row] = await connection<[{ dropped: number }]>`
          select partition_archiver.abandon_old_drills(make_interval(days => ${olderThanDays}::integer)) as dropped`;
        return row.dropped;
      }),
  };
}
