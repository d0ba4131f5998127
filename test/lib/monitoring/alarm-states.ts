/** The alarms of a template, evaluated as CloudWatch does, for tests that play days and weeks. */
import type { CloudTemplate } from '../rules/rule.ts';
import { listOf, ofType, referenceOf, textOf } from '../rules/rule.ts';

/** A value of a metric of the archiver. */
export interface Datum {
  readonly name: string;
  readonly at: number;
  readonly value: number;
}

export type AlarmState = 'INSUFFICIENT_DATA' | 'OK' | 'ALARM';

interface MetricAlarm {
  readonly MetricName?: string;
  readonly EvaluationPeriods: number;
  readonly Period: number;
  readonly Statistic: 'Minimum' | 'Maximum' | 'Sum';
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

const STATISTICS: Readonly<Record<MetricAlarm['Statistic'], (values: readonly number[]) => number>> = {
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
};

const COMPARE: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/** Successful executions, of which only those of *Heartbeat* have an alarm. */
const SUCCEEDED = 'ExecutionsSucceeded';

/**
 * What pages, of the alarms on the metrics of the archiver and on the heartbeat: those whose action is called when they
 * change to ALARM. Periods end with `now`; of data that is missing, each alarm says itself what it means; a suppressor holds
 * the action of a composite alarm back, which waits for it at first (CloudWatch User Guide, "Configuring how alarms treat
 * missing data", "Create a composite alarm", "Suppressing composite alarm actions").
 */
export class AlarmStates {
  private readonly states = new Map<string, AlarmState>();
  /** Since when a composite alarm is in ALARM whose action is still to be called. */
  private readonly waiting = new Map<string, number>();
  private readonly alarms: ReturnType<typeof ofType>;
  private readonly composites: ReturnType<typeof ofType>;

  constructor(template: CloudTemplate) {
    this.alarms = ofType(template, 'AWS::CloudWatch::Alarm').filter(
      ([, { Namespace, MetricName }]) => Namespace === 'PartitionArchiver' || MetricName === SUCCEEDED,
    );
    this.composites = ofType(template, 'AWS::CloudWatch::CompositeAlarm');
  }

  /** Evaluates all alarms; the ids of those whose action is called, without the hash of the CDK. */
  evaluate(data: readonly Datum[], now: number): string[] {
    const called: string[] = [];
    const call = (id: string): void => void called.push(id.replace(/^ArchiverAlarms|[0-9A-F]{8}$/g, ''));
    /** Whether the alarm has changed to ALARM just now. */
    const change = (id: string, state: AlarmState): boolean => {
      const before = this.states.get(id) ?? 'INSUFFICIENT_DATA';
      this.states.set(id, state);
      return before !== 'ALARM' && state === 'ALARM';
    };
    for (const [id, properties] of this.alarms) {
      const state = this.stateOf(id, properties as unknown as MetricAlarm, data, now);
      if (change(id, state) && listOf(properties['AlarmActions']).length > 0) call(id);
    }
    for (const [id, properties] of this.composites) {
      const { AlarmRule, ActionsSuppressor, ActionsSuppressorWaitPeriod = 0 } = properties;
      const state = this.holds(textOf(AlarmRule)) ? 'ALARM' : 'OK';
      if (change(id, state)) this.waiting.set(id, now);
      if (state !== 'ALARM') this.waiting.delete(id);
      const since = this.waiting.get(id) ?? Infinity;
      const suppressor = referenceOf(ActionsSuppressor) ?? '';
      if (now - since < Number(ActionsSuppressorWaitPeriod) * 1000) continue;
      if (since === Infinity || this.states.get(suppressor) === 'ALARM') continue;
      this.waiting.delete(id);
      call(id);
    }
    return called;
  }

  private stateOf(
    id: string,
    { MetricName, Threshold, ComparisonOperator, TreatMissingData, ...alarm }: MetricAlarm,
    data: readonly Datum[],
    now: number,
  ): AlarmState {
    const periods = Array.from({ length: alarm.EvaluationPeriods }, (_, index) => {
      const end = now - index * alarm.Period * 1000;
      return data
        .filter(({ name, at }) => name === MetricName && at <= end && at > end - alarm.Period * 1000)
        .map(({ value }) => value);
    });
    if (TreatMissingData === 'ignore' && periods.every((values) => values.length === 0)) {
      return this.states.get(id) ?? 'INSUFFICIENT_DATA';
    }
    const isBreaching = (values: readonly number[]): boolean =>
      values.length === 0
        ? TreatMissingData === 'breaching'
        : COMPARE[ComparisonOperator]!(STATISTICS[alarm.Statistic](values), Threshold);
    return periods.every(isBreaching) ? 'ALARM' : 'OK';
  }

  /** `(ALARM("{A.Arn}") AND ALARM("{B.Arn}"))`, or one of them without parentheses. */
  private holds(rule: string): boolean {
    const [, inner = rule] = /^\((.*)\)$/.exec(rule) ?? [];
    return inner.split(' AND ').every((part) => {
      const [, id = ''] = /^ALARM\("\{(\w+)\.Arn\}"\)$/.exec(part) ?? [];
      if (!this.states.has(id)) throw new Error(`no alarm state for ${part} in ${rule}`);
      return this.states.get(id) === 'ALARM';
    });
  }
}
