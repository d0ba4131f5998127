/** The alarms of a template, evaluated as CloudWatch does, for tests that play days and weeks. */
import type { CloudTemplate } from '../rules/rule.ts';
import { listOf, ofType, textOf } from '../rules/rule.ts';

/** A value of a metric of the archiver. */
export interface Datum {
  readonly name: string;
  readonly at: number;
  readonly value: number;
}

export type AlarmState = 'INSUFFICIENT_DATA' | 'OK' | 'ALARM';

interface MetricAlarm {
  readonly MetricName?: string;
  readonly Period: number;
  readonly Statistic: 'Minimum' | 'Maximum';
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

const COMPARE: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
};

/**
 * What pages, of the alarms on the metrics of the archiver: those whose action is called when they change to ALARM. Periods
 * end with `now`; of data that is missing, each alarm says itself what it means (CloudWatch User Guide, "Configuring how
 * alarms treat missing data", "Create a composite alarm").
 */
export class AlarmStates {
  private readonly states = new Map<string, AlarmState>();
  private readonly alarms: ReturnType<typeof ofType>;
  private readonly composites: ReturnType<typeof ofType>;

  constructor(template: CloudTemplate) {
    this.alarms = ofType(template, 'AWS::CloudWatch::Alarm').filter(
      ([, { Namespace }]) => Namespace === 'PartitionArchiver',
    );
    this.composites = ofType(template, 'AWS::CloudWatch::CompositeAlarm');
  }

  /** Evaluates all alarms; the ids of those whose action is called, without the hash of the CDK. */
  evaluate(data: readonly Datum[], now: number): string[] {
    const called: string[] = [];
    const change = (id: string, state: AlarmState, actions: unknown): void => {
      const before = this.states.get(id) ?? 'INSUFFICIENT_DATA';
      this.states.set(id, state);
      if (before !== 'ALARM' && state === 'ALARM' && listOf(actions).length > 0) {
        called.push(id.replace(/^ArchiverAlarms|[0-9A-F]{8}$/g, ''));
      }
    };
    for (const [id, properties] of this.alarms) {
      change(
        id,
        this.stateOf(id, properties as unknown as MetricAlarm, data, now),
        properties['AlarmActions'],
      );
    }
    for (const [id, { AlarmRule, AlarmActions }] of this.composites) {
      change(id, this.holds(textOf(AlarmRule)) ? 'ALARM' : 'OK', AlarmActions);
    }
    return called;
  }

  private stateOf(
    id: string,
    { MetricName, Period, Statistic, Threshold, ComparisonOperator, TreatMissingData }: MetricAlarm,
    data: readonly Datum[],
    now: number,
  ): AlarmState {
    const values = data
      .filter(({ name, at }) => name === MetricName && at <= now && at > now - Period * 1000)
      .map(({ value }) => value);
    if (values.length === 0) {
      if (TreatMissingData === 'ignore') return this.states.get(id) ?? 'INSUFFICIENT_DATA';
      return TreatMissingData === 'breaching' ? 'ALARM' : 'OK';
    }
    const value = Statistic === 'Minimum' ? Math.min(...values) : Math.max(...values);
    return COMPARE[ComparisonOperator]!(value, Threshold) ? 'ALARM' : 'OK';
  }

  /** `(ALARM("{A.Arn}") AND ALARM("{B.Arn}"))`. */
  private holds(rule: string): boolean {
    const [, inner = ''] = /^\((.*)\)$/.exec(rule) ?? [];
    return inner.split(' AND ').every((part) => {
      const [, id = ''] = /^ALARM\("\{(\w+)\.Arn\}"\)$/.exec(part) ?? [];
      if (!this.states.has(id)) throw new Error(`no alarm state for ${part} in ${rule}`);
      return this.states.get(id) === 'ALARM';
    });
  }
}
