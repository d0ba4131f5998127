import { InvocationError, type FunctionRunner } from './lambda-pool.ts';
import type { LocalFunction } from './load-state-machine.ts';

/**
 * What the Invoke call of Lambda itself fails with, whatever the function is: the `@throws` of InvokeCommand in
 * `@aws-sdk/client-lambda`, without those that say that the request was wrong.
 */
export const SERVICE_ERRORS = [
  'ResourceNotReadyException',
  'ResourceConflictException',
  'ENINotReadyException',
  'ENILimitReachedException',
  'EC2ThrottledException',
  'EC2UnexpectedException',
  'EC2AccessDeniedException',
  'SubnetIPAddressLimitReachedException',
  'TooManyRequestsException',
  'ServiceException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSAccessDeniedException',
  'KMSNotFoundException',
  'EFSIOException',
  'SnapStartNotReadyException',
  'InvalidSecurityGroupIDException',
  'InvalidSubnetIDException',
  'InvalidRuntimeException',
] as const;

/** How Step Functions may name an error of the service: by its prefix, as the SDK does, or in a way that nobody knows. */
export const NAMINGS = {
  prefixed: (error: string) => `Lambda.${error}`,
  bare: (error: string) => error,
  unknown: () => 'Lambda.SomethingThatNobodyHasSeen',
} as const satisfies Record<string, (error: string) => string>;

/** Whom Lambda refuses, and for how long. */
export interface Refusal {
  /** The name under which Step Functions reports it. */
  readonly error: string;
  /**
   * So many calls of each function, the first ones.
   *
   * @default - not by number
   */
  readonly calls?: number;
  /**
   * All calls of each function within this time of its first one: a function that sleeps begins to wake up then.
   *
   * @default - not by time
   */
  readonly milliseconds?: number;
}

/** A runner whose functions are refused by the Lambda service at first. A refused function has not run. */
export function refusing(
  runner: FunctionRunner,
  { error, calls = 0, milliseconds = 0 }: Refusal,
): FunctionRunner {
  const seen = new Map<string, { number: number; readonly since: number }>();
  const isRefused = ({ arn }: LocalFunction): boolean => {
    const now = performance.now();
    const first = seen.get(arn) ?? { number: 0, since: now };
    first.number += 1;
    seen.set(arn, first);
    return first.number <= calls || now - first.since < milliseconds;
  };
  return {
    invoke: async (target, event, onStart) => {
      if (isRefused(target)) throw new InvocationError(error, 'the Lambda service refused the call');
      return runner.invoke(target, event, onStart);
    },
    close: () => runner.close(),
  };
}
