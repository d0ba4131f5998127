import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ArchiverMetrics } from './metrics.ts';
import type { AlarmThresholds } from './alarm-thresholds.ts';

/** A workflow that has to be successful once in a while. */
export interface PeriodicCheck {
  readonly stateMachine: sfn.StateMachine;
  /** Whether an alarm reports that none was successful for long. */
  readonly isScheduled: boolean;
}

/** Properties of `ArchiveAlarms`. */
export interface ArchiveAlarmsProps {
  readonly stateMachine: sfn.StateMachine;
  /** Queue of starts that did not happen. */
  readonly deadLetterQueue: sqs.IQueue;
  readonly metrics: ArchiverMetrics;
  /** What publishes how long ago something was successful. */
  readonly heartbeat: sfn.StateMachine;
  readonly drill: PeriodicCheck;
  readonly audit: PeriodicCheck;
  /**
   * What makes Parquet copies, and the days without one from which on a copy is late.
   *
   * @default - no partition set has `query`
   */
  readonly convert?: { readonly stateMachine: sfn.StateMachine; readonly lateDays: number } | undefined;
  /**
   * From where on alarms are raised.
   *
   * @default - see each
   */
  readonly thresholds?: AlarmThresholds;
  /**
   * Topic that alarms go to.
   *
   * @default - a new topic, encrypted with a key of its own
   */
  readonly topic?: sns.ITopic;
  /**
   * Topic of the alarms that page: problems that last until an operator acts.
   *
   * @default - the topic of the other alarms
   */
  readonly pageTopic?: sns.ITopic;
  /** Every other workflow, by its name: what operators start, and what a schedule starts besides *Archive*. */
  readonly otherWorkflows?: Readonly<Record<string, sfn.StateMachine>>;
  /**
   * Addresses that are subscribed to the topic.
   *
   * @default - none
   */
  readonly emails?: readonly string[];
}
