import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { ArchiveAlarmsProps } from './alarms-props.ts';

const { BREACHING, IGNORE } = cloudwatch.TreatMissingData;

/** What the composite alarms look at; none of these has an action of its own. */
export interface PartsOfMissed {
  readonly noRun: cloudwatch.Alarm;
  readonly settled: cloudwatch.Alarm;
  readonly noHeartbeat: cloudwatch.Alarm;
}

/**
 * No successful run, or no word of one, for days, once the archiver has been there for as long: a database that cannot be
 * asked, or was never prepared, has no data. And no heartbeat, of which the alarms on ages say nothing, since they keep their
 * state while they have no data; one that never ran is found, too.
 */
export function makePartsOfMissed(
  scope: Construct,
  { metrics, thresholds, heartbeat }: ArchiveAlarmsProps,
): PartsOfMissed {
  const atLeast = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
  const days = {
    threshold: thresholds?.missedRunDays ?? 2,
    evaluationPeriods: 1,
    comparisonOperator: atLeast,
  };
  return {
    noRun: new cloudwatch.Alarm(scope, 'NoRun', {
      ...days,
      alarmDescription:
        'No successful run for days, or no heartbeat that tells of one. ExecutionMissed pages.',
      metric: metrics.metric('DaysSinceSuccessfulRun', 'Minimum'),
      treatMissingData: BREACHING,
    }),
    settled: new cloudwatch.Alarm(scope, 'Settled', {
      ...days,
      alarmDescription: 'The archiver was deployed days ago: ExecutionMissed may page from now on.',
      metric: metrics.metric('DaysSinceDeployment', 'Maximum'),
      treatMissingData: IGNORE,
    }),
    noHeartbeat: new cloudwatch.Alarm(scope, 'NoHeartbeat', {
      alarmDescription: 'No execution of Heartbeat was successful for two days. HeartbeatMissed pages.',
      metric: heartbeat.metricSucceeded({ period: Duration.days(1), statistic: 'Sum' }),
      threshold: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 2,
      treatMissingData: BREACHING,
    }),
  };
}
