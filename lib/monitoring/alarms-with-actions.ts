import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { ArchiveAlarmsProps, PeriodicCheck } from './alarms-props.ts';
import { makeAlarmTopic, makeAlarmTopicKey } from './alarm-topic.ts';
import { physicalName } from '../physical-name.ts';
import { severityOf } from './severity.ts';

const AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
const { IGNORE, NOT_BREACHING } = cloudwatch.TreatMissingData;

/** Where alarms are sent to, and whose they are. */
type OwnProps = Pick<ArchiveAlarmsProps, 'topic' | 'pageTopic' | 'emails' | 'metrics'>;

/** Makes alarms that send to the topic of their severity, and say it in their descriptions. */
export abstract class AlarmsWithActions extends Construct {
  readonly topic: sns.ITopic;
  /** Where alarms go that page. */
  readonly pageTopic: sns.ITopic;
  private readonly archiver: string;

  constructor(scope: Construct, id: string, props: OwnProps) {
    super(scope, id);
    this.archiver = props.metrics.archiver;
    this.topic =
      props.topic ??
      makeAlarmTopic(this, 'Topic', {
        displayName: 'Partition archiver',
        masterKey: makeAlarmTopicKey(this, 'TopicKey'),
      });
    this.pageTopic = props.pageTopic ?? this.topic;
    for (const email of props.emails ?? []) {
      this.topic.addSubscription(new subscriptions.EmailSubscription(email));
    }
  }

  /** By the age of the last successful one: the least of a day, since one counts at once, whatever was published before. */
  protected missed(
    id: string,
    { isScheduled }: PeriodicCheck,
    props: Pick<cloudwatch.AlarmProps, 'metric' | 'threshold'> & { readonly alarmDescription: string },
  ): cloudwatch.Alarm[] {
    return isScheduled ? [this.alarm(id, { ...props, treatMissingData: IGNORE })] : [];
  }

  protected alarm(
    id: string,
    props: Pick<cloudwatch.AlarmProps, 'metric'> &
      Partial<cloudwatch.AlarmProps> & { readonly alarmDescription: string },
    number = '',
  ): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, `${id}${number}`, {
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: AT_LEAST,
      treatMissingData: NOT_BREACHING,
      ...props,
      alarmDescription: describe(id, props.alarmDescription),
    });
    return this.withActions(id, alarm);
  }

  protected composite(
    id: string,
    props: cloudwatch.CompositeAlarmProps & { readonly alarmDescription: string },
  ): cloudwatch.CompositeAlarm {
    const named = {
      // The CDK would name it by its path, which another deployment of the app has, too.
      compositeAlarmName: physicalName(this.archiver, id, 255),
      alarmDescription: describe(id, props.alarmDescription),
    };
    return this.withActions(id, new cloudwatch.CompositeAlarm(this, id, { ...props, ...named }));
  }

  private withActions<T extends cloudwatch.AlarmBase>(id: string, alarm: T): T {
    const severity = severityOf(id);
    const action = new SnsAction(severity === 'page' ? this.pageTopic : this.topic);
    alarm.addAlarmAction(action);
    // A failed execution is over: that it was five minutes ago is no news.
    if (severity === 'page') alarm.addOkAction(action);
    return alarm;
  }
}

/** The severity stands before the problem. */
const describe = (id: string, text: string): string => `[${severityOf(id)}] ${text}`;
