import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** An alarm takes ten metrics at most, and there are three of a workflow. */
const WORKFLOWS_OF_AN_ALARM = 3;

/** A state machine by the name of its workflow. */
type Workflow = readonly [name: string, stateMachine: sfn.StateMachine];

/** Workflows by the alarm that watches them. */
export function watchedTogether(workflows: readonly Workflow[]): Workflow[][] {
  const groups: Workflow[][] = [];
  for (let first = 0; first < workflows.length; first += WORKFLOWS_OF_AN_ALARM) {
    groups.push(workflows.slice(first, first + WORKFLOWS_OF_AN_ALARM));
  }
  return groups;
}

/** What ends an execution of these workflows without a verdict of its own, or slows it down, as one number and its description. */
export function interruptions(workflows: readonly Workflow[]): {
  readonly alarmDescription: string;
  readonly metric: cloudwatch.IMetric;
} {
  const options = { period: Duration.minutes(5), statistic: 'Sum' };
  const names = workflows.map(([name]) => name).join(', ');
  const metrics = workflows.flatMap(([name, stateMachine]) => [
    [`aborted${name}`, stateMachine.metricAborted(options)] as const,
    [`timedOut${name}`, stateMachine.metricTimedOut(options)] as const,
    [`throttled${name}`, stateMachine.metricThrottled(options)] as const,
  ]);
  return {
    alarmDescription: `An execution of one of ${names} was aborted, timed out or was throttled. No data is lost; start it again.`,
    metric: new cloudwatch.MathExpression({
      // Of what did not happen there is no data.
      expression: `SUM([${metrics.map(([id]) => `FILL(${id}, 0)`).join(', ')}])`,
      usingMetrics: Object.fromEntries(metrics),
      label: `${names}: aborted, timed out or throttled`,
      period: options.period,
    }),
  };
}
