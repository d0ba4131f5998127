import type { DrillDatabase, SuccessfulDrill } from '../../../core/restore/drill.ts';
import { translated, type Connection } from '../connect.ts';

/** What a drill needs besides the steps of a restore, on PostgreSQL. */
export function drillDatabase(connection: Connection): DrillDatabase {
  return {
    finishDrill: (restoreId) =>
      translated('ending the drill', async () => {
        const [row] = await connection<[{ drill: SuccessfulDrill }]>`
          select partition_archiver.finish_drill(${restoreId}::bigint) as drill`;
        return row.drill;
      }),

    cancelOldDrills: (olderThanDays) =>
      translated('dropping what drills left behind', async () => {
        const [row] = await connection<[{ left: number[] }]>`
          select to_jsonb(partition_archiver.cancel_old_drills(make_interval(days => ${olderThanDays}::integer))) as left`;
        return row.left;
      }),
  };
}
