import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { FINAL_CODES, RETRYABLE_CODES, type ErrorCode } from '../../core/errors.ts';
import { constructId, type ArchiverFunctions } from '../functions/functions.ts';
import { STEPS, type Step } from '../functions/steps.ts';
import { configFor } from './step-config.ts';

/** The Lambda service was not able to run the function; the function has done nothing. */
const SERVICE_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.TooManyRequestsException',
  'Lambda.SdkClientException',
  'Lambda.AWSLambdaException',
  'Lambda.ClientExecutionTimeoutException',
];

/** The function died half way. Every step can be run again from any point. */
const CRASHES = ['Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'];

/** The function was stopped at its time limit. */
const TIMEOUTS = ['Sandbox.Timedout', 'States.Timeout'];

/** Steps whose duration depends on the load of the moment, so that the next try may end in time. */
const RETRIED_ON_TIMEOUT: readonly Step[] = [
  ...(['export', 'stream', 'verify', 'import', 'build', 'prove', 'attach'] as const),
  ...(['audit-segments', 'reverify-segment', 'convert-segment'] as const),
  'partition-table',
];

/** For everything that no other retrier names: minutes, evenly spaced. */
export const SLEEPER_RETRIER: sfn.RetryProps = {
  errors: [sfn.Errors.TASKS_FAILED],
  interval: Duration.seconds(15),
  backoffRate: 1,
  maxAttempts: 20,
  jitterStrategy: sfn.JitterType.NONE,
};

/** What a function that died left to the server ends with the `statement_timeout`, a quarter of an hour later at most. */
const BUSY_RETRIER: sfn.RetryProps = {
  errors: ['SegmentBusy' satisfies ErrorCode],
  interval: Duration.minutes(1),
  backoffRate: 1,
  maxAttempts: 16,
  jitterStrategy: sfn.JitterType.NONE,
};

/** How one step stands in the state machine. */
export interface StepTaskProps {
  readonly comment: string;
  /** Input of the step, as a template; keys that end in `.$` are paths into the state's input. */
  readonly payload: Readonly<Record<string, string | boolean>>;
  /** Where the result goes, as `Payload`; `sfn.JsonPath.DISCARD` for nowhere. */
  readonly resultPath: string;
  /**
   * Name of the state, where a step stands twice.
   *
   * @default - the name of the step
   */
  readonly stateName?: string;
}

/**
 * A Task that runs one step by `lambda:invoke`. The result of the function stands as `Payload` where `resultPath` says,
 * without the rest of the envelope, so that the output of each state reads well in the console.
 */
export function stepTask(
  scope: Construct,
  functions: ArchiverFunctions,
  step: Step,
  { comment, payload, resultPath, stateName = constructId(step) }: StepTaskProps,
): tasks.LambdaInvoke {
  const task = new tasks.LambdaInvoke(scope, stateName, {
    lambdaFunction: functions.get(step),
    comment,
    payload: sfn.TaskInput.fromObject({ step, input: { ...payload, ...configFor(step, functions.config) } }),
    ...(resultPath === sfn.JsonPath.DISCARD ? {} : { resultSelector: { 'Payload.$': '$.Payload' } }),
    resultPath,
    retryOnServiceExceptions: false,
    // The function's own timeout comes first and has the better message; this is for when Lambda never returns.
    taskTimeout: sfn.Timeout.duration(STEPS[step].timeout.plus(Duration.minutes(1))),
  });
  for (const retrier of retriersOf(step)) task.addRetry(retrier);
  return task;
}

/**
 * When a step is tried again. The first retrier that knows the error decides, so that the order matters: what is final,
 * then what is known to pass, then everything else.
 *
 * Everything else is there for a function that sleeps: Lambda takes the network interfaces of a function that was idle
 * for weeks, refuses the calls that wake it up, and needs minutes for new interfaces. Under which name Step Functions
 * reports that refusal is not documented, so that no name is relied upon.
 */
function retriersOf(step: Step): sfn.RetryProps[] {
  const isRetriedOnTimeout = RETRIED_ON_TIMEOUT.includes(step);
  return [
    // A timeout must not reach the last retrier: twenty times fifteen minutes.
    {
      errors: [...FINAL_CODES, ...(isRetriedOnTimeout ? [] : TIMEOUTS)],
      maxAttempts: 0,
    },
    {
      errors: SERVICE_ERRORS,
      interval: Duration.seconds(2),
      backoffRate: 2,
      // Minutes in all, should the refusal of a sleeping function come under one of these names.
      maxDelay: Duration.seconds(30),
      maxAttempts: 20,
      jitterStrategy: sfn.JitterType.FULL,
    },
    BUSY_RETRIER,
    // Locks that the application holds, a failover, throttling: minutes, not seconds.
    {
      errors: RETRYABLE_CODES.filter((code) => code !== 'SegmentBusy'),
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxDelay: Duration.minutes(2),
      maxAttempts: 6,
      jitterStrategy: sfn.JitterType.FULL,
    },
    {
      errors: [...CRASHES, ...(isRetriedOnTimeout ? TIMEOUTS : [])],
      interval: Duration.seconds(5),
      backoffRate: 2,
      maxAttempts: 2,
      jitterStrategy: sfn.JitterType.FULL,
    },
    SLEEPER_RETRIER,
  ];
}

/**
 * A Task that records a failure and continues to `then`. Where not even that is possible, it goes there all the same: the
 * report finds what is not where it should be.
 */
export function failureTask(
  scope: Construct,
  functions: ArchiverFunctions,
  step: Step,
  then: sfn.Pass,
  props: Omit<StepTaskProps, 'resultPath'>,
): tasks.LambdaInvoke {
  const task = stepTask(scope, functions, step, { ...props, resultPath: sfn.JsonPath.DISCARD });
  task.addCatch(then, { resultPath: '$.unrecorded' }).next(then);
  return task;
}
