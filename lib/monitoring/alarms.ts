import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { AlarmsWithActions } from './alarms-with-actions.ts';
import type { ArchiveAlarmsProps } from './alarms-props.ts';
import { interruptions, watchedTogether } from './interruptions.ts';
import { makePartsOfMissed } from './missed-runs.ts';

export type { AlarmThresholds } from './alarm-thresholds.ts';

const BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD;
const { IGNORE } = cloudwatch.TreatMissingData;

/** Terabytes take days to copy; a table that waits longer was likely forgotten. */
const UNFINISHED_DAYS = 7;

/** Alarms for what needs an operator. `docs/runbook.md` has a section for each, by its id here. */
export class ArchiveAlarms extends AlarmsWithActions {
  /** Those with an action. */
  readonly alarms: readonly cloudwatch.IAlarm[];

  constructor(scope: Construct, id: string, props: ArchiveAlarmsProps) {
    super(scope, id, props);
    this.alarms = [
      ...this.ofExecutions(props),
      ...this.ofMissedRuns(props),
      ...this.ofOtherWorkflows(props),
      ...this.ofPartitionSets(props),
      ...this.ofDrills(props),
      ...this.ofAudits(props),
      ...this.ofConversions(props),
      this.alarm('PartitioningUnfinished', {
        alarmDescription:
          'The conversion of a plain table has been unfinished for a week, and each changed row is logged meanwhile. Swap it, or roll it back.',
        metric: props.metrics.metric('DaysInPartitioning', 'Minimum'),
        threshold: UNFINISHED_DAYS,
        treatMissingData: IGNORE,
      }),
    ];
  }

  private ofExecutions({ stateMachine, deadLetterQueue }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    const period = Duration.minutes(5);
    return [
      this.alarm('ExecutionFailed', {
        alarmDescription:
          'An execution of the partition archiver failed. No data is lost; its cause names the partitions. Redrive it, or wait for the next run.',
        metric: stateMachine.metricFailed({ period, statistic: 'Sum' }),
      }),
      this.alarm('ExecutionTimedOut', {
        alarmDescription:
          'An execution of the partition archiver took longer than it may. No data is lost; the next run resumes it.',
        metric: stateMachine.metricTimedOut({ period, statistic: 'Sum' }),
      }),
      this.alarm('ExecutionAborted', {
        alarmDescription:
          'An execution of the partition archiver was stopped. No data is lost; the next run resumes it.',
        metric: stateMachine.metricAborted({ period, statistic: 'Sum' }),
      }),
      this.alarm('ExecutionThrottled', {
        alarmDescription:
          'Step Functions throttled an execution of the partition archiver: a quota of the account is used up. It takes longer.',
        metric: stateMachine.metricThrottled({ period, statistic: 'Sum' }),
      }),
      this.alarm('StartFailed', {
        alarmDescription:
          'A schedule could not start an execution of the partition archiver. The messages in its dead-letter queue say why.',
        metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
        // An idle queue sends no metrics after some hours, though the message still lies there.
        treatMissingData: IGNORE,
      }),
    ];
  }

  private ofMissedRuns(props: ArchiveAlarmsProps): cloudwatch.CompositeAlarm[] {
    const { noRun, settled, noHeartbeat } = makePartsOfMissed(this, props);
    const missed = this.composite('ExecutionMissed', {
      alarmDescription:
        'No run of the partition archiver was successful for days. Look whether its schedules are enabled, and at the executions.',
      alarmRule: cloudwatch.AlarmRule.allOf(noRun, settled),
    });
    const silent = this.composite('HeartbeatMissed', {
      alarmDescription:
        'Heartbeat published nothing for two days, so that no alarm knows when a run, drill or audit was last successful. Look whether its schedule is enabled, and at its executions.',
      alarmRule: cloudwatch.AlarmRule.fromAlarm(noHeartbeat, cloudwatch.AlarmState.ALARM),
      // One page for one cause; and the first heartbeat comes some minutes after the alarm is made.
      actionsSuppressor: missed,
      actionsSuppressorWaitPeriod: Duration.hours(1),
    });
    return [missed, silent];
  }

  private ofOtherWorkflows({ otherWorkflows = {} }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    return watchedTogether(Object.entries(otherWorkflows)).map((workflows, index) =>
      this.alarm('OperationInterrupted', interruptions(workflows), String(index + 1)),
    );
  }

  private ofPartitionSets({ metrics, thresholds = {} }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    const { overdueDays = 40, futurePartitions = 1, missedArchiveRunDays = 40 } = thresholds;
    return [
      this.alarm('PartitionsBlocked', {
        alarmDescription:
          'A partition is blocked: nothing happens to it until an operator acts. The ledger says why.',
        metric: metrics.metric('BlockedPartitions', 'Maximum'),
        treatMissingData: IGNORE,
      }),
      this.alarm('RowsInDefault', {
        alarmDescription:
          'The default partition of a set has rows: there was no partition for them, and they are never archived.',
        metric: metrics.metric('RowsInDefault', 'Maximum'),
        treatMissingData: IGNORE,
      }),
      ...(futurePartitions === 0
        ? []
        : [
            this.alarm('FuturePartitionsRunOut', {
              alarmDescription:
                'A partition set has too few partitions in the future: soon rows go to the default partition, or nowhere.',
              metric: metrics.metric('FuturePartitions', 'Minimum'),
              threshold: futurePartitions,
              comparisonOperator: BELOW,
              treatMissingData: IGNORE,
            }),
          ]),
      this.alarm('PartitionOverdue', {
        alarmDescription:
          'A partition has been past its retention for long and is not archived. The ledger and the last reports say why.',
        metric: metrics.metric('OverdueDays', 'Maximum'),
        threshold: overdueDays,
        treatMissingData: IGNORE,
      }),
      this.alarm('ArchiveRunMissed', {
        alarmDescription:
          'A partition set has not been through a whole run for long. Look whether the schedule is enabled, and at the executions.',
        metric: metrics.metric('DaysSinceArchiveRun', 'Maximum'),
        threshold: missedArchiveRunDays,
        treatMissingData: IGNORE,
      }),
    ];
  }

  private ofDrills({ drill, metrics, thresholds }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    const days = thresholds?.missedDrillDays ?? 40;
    return [
      this.alarm('DrillFailed', {
        alarmDescription:
          'A restore drill failed: an archive could not be restored and proven. Its cause names the archive and says why.',
        metric: drill.stateMachine.metricFailed({ period: Duration.minutes(5), statistic: 'Sum' }),
      }),
      ...this.missed('DrillMissed', drill, {
        alarmDescription: `No restore drill was successful for ${days} days. Look whether its schedule is enabled, and at the executions of Drill.`,
        metric: metrics.metric('DaysSinceSuccessfulDrill', 'Minimum'),
        threshold: days,
      }),
    ];
  }

  private ofAudits({ audit, metrics, thresholds }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    const days = thresholds?.missedAuditDays ?? 40;
    return [
      this.alarm('ArchiveDamaged', {
        alarmDescription:
          'The last audit found an archive that is not what its manifest says. Its execution names the objects. If the table was dropped, this is the only copy.',
        metric: metrics.metric('ArchivesDamaged', 'Maximum'),
        // Until another audit finds none.
        treatMissingData: IGNORE,
      }),
      this.alarm('AuditFailed', {
        alarmDescription:
          'An audit of the archive failed: something is damaged, or could not be read. Its cause names the archives.',
        metric: audit.stateMachine.metricFailed({ period: Duration.minutes(5), statistic: 'Sum' }),
      }),
      ...this.missed('AuditMissed', audit, {
        alarmDescription: `No audit of the archive was successful for ${days} days. Look whether its schedule is enabled, and at the executions of Audit.`,
        metric: metrics.metric('DaysSinceSuccessfulAudit', 'Minimum'),
        threshold: days,
      }),
    ];
  }

  private ofConversions({ convert, metrics }: ArchiveAlarmsProps): cloudwatch.Alarm[] {
    if (convert === undefined) return [];
    return [
      this.alarm('ConvertFailed', {
        alarmDescription:
          'Archives have no Parquet copy and cannot be queried. They are archived and proven all the same. The cause of the execution of Convert names them.',
        metric: convert.stateMachine.metricFailed({ period: Duration.minutes(5), statistic: 'Sum' }),
      }),
      this.alarm('CopiesLate', {
        alarmDescription:
          'An archive has had no Parquet copy for long. Once its text moves to Glacier, none can be made. Look whether the schedule of Convert is enabled, and at its executions.',
        metric: metrics.metric('DaysWithoutCopy', 'Minimum'),
        threshold: convert.lateDays,
        treatMissingData: IGNORE,
      }),
    ];
  }
}
