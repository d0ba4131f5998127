/** From where on an alarm is raised. */
export interface AlarmThresholds {
  /**
   * Days for which a partition may be past its retention without being archived.
   *
   * @default 40 - a month between two runs, and some days to fix what failed
   */
  readonly overdueDays?: number;
  /**
   * Partitions of a set that must lie in the future; 0 for no alarm.
   *
   * @default 1
   */
  readonly futurePartitions?: number;
  /**
   * Days since the last successful run, of any kind, and since the first deployment. With the default schedules there are
   * two runs a day.
   *
   * @default 2
   */
  readonly missedRunDays?: number;
  /**
   * Days between two whole runs of a set.
   *
   * @default 40 - with the default schedule there is one each month
   */
  readonly missedArchiveRunDays?: number;
  /**
   * Days since the last successful restore drill, where drills are held on a schedule.
   *
   * @default 40 - a month between two drills
   */
  readonly missedDrillDays?: number;
  /**
   * Days since the last successful audit, where audits are started by a schedule.
   *
   * @default 40 - a month between two audits
   */
  readonly missedAuditDays?: number;
}
