import { Duration, RemovalPolicy, Stack, type TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.ts';

/** When restore drills are held. */
export interface DrillSchedule {
  /** Such as `cron(0 4 15 * ? *)`, in the time zone of the other schedules. */
  readonly schedule: string;
  /** Largest archive that a drill restores, in MiB of data. */
  readonly maxMiB: number;
}

/** How much of the archive one audit reads back, chosen at random. */
export interface AuditSample {
  /** @default - all archives */
  readonly archives?: number | undefined;
  /** @default - all segments of an archive */
  readonly segments?: number | undefined;
}

/** Properties of {@link ArchiveSchedules}. */
export interface ArchiveSchedulesProps {
  readonly stateMachine: sfn.IStateMachine;
  /** Time zone of the expressions, daylight saving included. */
  readonly timeZone: TimeZone;
  /** Within which time each execution starts, except that of *Heartbeat*; zero for starts on time. */
  readonly window: Duration;
  /** When everything runs, such as `cron(0 3 1 * ? *)`. */
  readonly archive: string;
  /** When the attached partitions are recorded, so that none is detached unseen between two whole runs. */
  readonly inventory: string;
  /** When partitions past their grace period are dropped. */
  readonly drop: string;
  /** When Parquet copies are made. */
  readonly convert: string;
  /**
   * What makes them.
   *
   * @default - no partition set has `query`
   */
  readonly convertStateMachine?: sfn.IStateMachine | undefined;
  /**
   * When restore drills are held.
   *
   * @default - not scheduled
   */
  readonly drill?: DrillSchedule & { readonly stateMachine: sfn.IStateMachine };
  readonly auditStateMachine: sfn.IStateMachine;
  readonly heartbeatStateMachine: sfn.IStateMachine;
  /**
   * When archives are read back.
   *
   * @default - never by a schedule
   */
  readonly audit?: string | undefined;
  /**
   * How much of them each time.
   *
   * @default - everything
   */
  readonly auditSample?: AuditSample;
}

/** Starts executions by EventBridge Scheduler. A start that fails for an hour goes to a dead-letter queue. */
export class ArchiveSchedules extends Construct {
  readonly deadLetterQueue: sqs.Queue;
  /** As whom EventBridge Scheduler starts what is scheduled, and nothing else. */
  private readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: ArchiveSchedulesProps) {
    super(scope, id);
    this.deadLetterQueue = new sqs.Queue(this, 'DeadLetterQueue', {
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledge(
      this.deadLetterQueue,
      'SQS3',
      'This is the dead-letter queue of the schedules, which the rule cannot see.',
    );
    this.role = this.makeRole();
    this.schedule('Archive', 'Archives and drops partitions', props, props.archive, {});
    this.schedule('Inventory', 'Records which partitions exist', props, props.inventory, {
      only: 'inventory',
    });
    this.schedule('Drop', 'Drops partitions past their grace period', props, props.drop, { only: 'drop' });
    // A rate without a start date starts at once when the schedule is made.
    this.schedule(
      'Heartbeat',
      'Publishes how long ago the last successful run, drill and audit were',
      // A rate counts from the creation of the schedule: stacks differ without a window.
      { ...props, stateMachine: props.heartbeatStateMachine, window: Duration.minutes(0) },
      'rate(1 day)',
      {},
    );
    if (props.convertStateMachine !== undefined) {
      const { convertStateMachine: stateMachine, convert } = props;
      this.schedule('Convert', 'Makes Parquet copies of archives', { ...props, stateMachine }, convert, {});
    }
    if (props.drill !== undefined) {
      const { stateMachine, schedule, maxMiB } = props.drill;
      this.schedule(
        'Drill',
        'Tries whether a random archive can be restored',
        { ...props, stateMachine },
        schedule,
        {
          maxMiB,
        },
      );
    }
    if (props.audit !== undefined) {
      const { archives, segments } = props.auditSample ?? {};
      const sample = {
        ...(archives === undefined ? {} : { archives }),
        ...(segments === undefined ? {} : { segments }),
      };
      this.schedule(
        'Audit',
        'Reads archives back and compares them with their manifests',
        { ...props, stateMachine: props.auditStateMachine },
        props.audit,
        Object.keys(sample).length === 0 ? {} : { sample },
      );
    }
  }

  private makeRole(): iam.Role {
    const stack = Stack.of(this);
    const group = { service: 'scheduler', resource: 'schedule-group', resourceName: 'default' };
    return new iam.Role(this, 'Role', {
      description: 'Starts what is scheduled',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': stack.formatArn(group) },
        },
      }),
    });
  }

  private schedule(
    id: string,
    description: string,
    { stateMachine, timeZone, window }: Pick<ArchiveSchedulesProps, 'stateMachine' | 'timeZone' | 'window'>,
    expression: string,
    input: object,
  ): void {
    new scheduler.Schedule(this, id, {
      description,
      schedule: scheduler.ScheduleExpression.expression(expression, timeZone),
      timeWindow:
        window.toMinutes() === 0 ? scheduler.TimeWindow.off() : scheduler.TimeWindow.flexible(window),
      target: new targets.StepFunctionsStartExecution(stateMachine, {
        input: scheduler.ScheduleTargetInput.fromObject(input),
        role: this.role,
        deadLetterQueue: this.deadLetterQueue,
        maxEventAge: Duration.hours(1).plus(window),
        retryAttempts: 10,
      }),
    });
  }
}
