import type { Context } from 'aws-lambda';
import { ArchiverError } from '../../core/errors.ts';
import type { Handler } from './timed.ts';

/** What a state of a workflow asks of a function. */
export interface StepCall {
  readonly step: string;
  readonly input: unknown;
}

/** A step that a function may run. */
interface ServedStep {
  /** How long it may take. */
  readonly seconds: number;
  /** By which alias it is asked for; IAM lets each workflow have its own only. */
  readonly alias?: string;
}

/**
 * The handler of a function: runs the step that the event names, if the environment says that this function is for it,
 * and that it may be asked for in this way.
 */
export function serve(
  handlers: Readonly<Record<string, Handler<never, unknown>>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Handler<StepCall, unknown> {
  const steps = new Map(
    Object.entries(JSON.parse(environment['STEPS'] ?? '{}') as Record<string, ServedStep>),
  );
  const known = new Map(Object.entries(handlers));
  return async ({ step, input }, context) => {
    const handler = known.get(step);
    const served = steps.get(step);
    const alias = context.invokedFunctionArn.split(':')[7];
    if (handler === undefined || served === undefined || (served.alias ?? alias) !== alias) {
      const by = alias === undefined ? '' : ` by ${alias}`;
      throw new ArchiverError('InvalidInput', `this function does not run step ${step}${by}`);
    }
    return handler(input as never, within(context, served.seconds));
  };
}

/** The context of an event that has no more time than its step, however long the function may take. */
function within(context: Context, seconds: number): Context {
  const deadline = Date.now() + seconds * 1000;
  return Object.create(context, {
    getRemainingTimeInMillis: {
      value: () => Math.min(context.getRemainingTimeInMillis(), deadline - Date.now()),
    },
  }) as Context;
}
