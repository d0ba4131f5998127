import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

/** Properties of {@link ArchiveAlarms}. */
export interface ArchiveAlarmsProps {
  readonly stateMachine: sfn.StateMachine;
  /** Queue of starts that did not happen. */
  readonly deadLetterQueue: sqs.IQueue;
  /**
   * Topic that alarms go to.
   *
   * @default - a new topic
   */
  readonly topic?: sns.ITopic;
  /**
   * Addresses that are subscribed to the topic.
   *
   * @default - none
   */
  readonly emails?: readonly string[];
}

/** Says so when an execution failed, or did not even start. */
export class ArchiveAlarms extends Construct {
  readonly topic: sns.ITopic;

  constructor(scope: Construct, id: string, props: ArchiveAlarmsProps) {
    super(scope, id);
    this.topic =
      props.topic ?? new sns.Topic(this, 'Topic', { displayName: 'Partition archiver', enforceSSL: true });
    for (const email of props.emails ?? []) {
      this.topic.addSubscription(new subscriptions.EmailSubscription(email));
    }
    const period = Duration.minutes(5);
    this.alarm(
      'ExecutionFailed',
      'An execution of the partition archiver failed. No data is lost; its output names the partitions. Redrive it, or wait for the next run.',
      props.stateMachine.metricFailed({ period, statistic: 'Sum' }),
    );
    this.alarm(
      'ExecutionTimedOut',
      'An execution of the partition archiver took longer than it may. No data is lost; the next run resumes it.',
      props.stateMachine.metricTimedOut({ period, statistic: 'Sum' }),
    );
    this.alarm(
      'StartFailed',
      'A schedule could not start an execution of the partition archiver. The messages in its dead-letter queue say why.',
      props.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    );
  }

  private alarm(id: string, alarmDescription: string, metric: cloudwatch.IMetric): void {
    new cloudwatch.Alarm(this, id, {
      alarmDescription,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(this.topic));
  }
}
