import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** What ends an execution of a workflow without a verdict of its own, or slows it down, as one number and its description. */
export function interruptions(
  workflow: string,
  stateMachine: sfn.StateMachine,
): { readonly alarmDescription: string; readonly metric: cloudwatch.IMetric } {
  const options = { period: Duration.minutes(5), statistic: 'Sum' };
  return {
    alarmDescription: `An execution of ${workflow} was aborted, timed out or was throttled. No data is lost; start it again.`,
    metric: new cloudwatch.MathExpression({
      // Of what did not happen there is no data.
      expression: 'SUM([FILL(aborted, 0), FILL(timedOut, 0), FILL(throttled, 0)])',
      usingMetrics: {
        aborted: stateMachine.metricAborted(options),
        timedOut: stateMachine.metricTimedOut(options),
        throttled: stateMachine.metricThrottled(options),
      },
      label: `${workflow} aborted, timed out or throttled`,
      period: options.period,
    }),
  };
}
