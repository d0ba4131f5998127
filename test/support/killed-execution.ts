import { LambdaPool } from '../../local/step-functions/lambda-pool.ts';
import type { ExecutionOptions, ExecutionResult } from '../../local/step-functions/run-execution.ts';
import { lambdaEnvironment } from './lambda-environment.ts';
import { stack } from './stack.ts';

/** Aborts the execution once so many invocations of functions were answered; the answer is lost. */
export async function killedAfter(
  most: number,
  execute: (options: Pick<ExecutionOptions, 'signal' | 'runner'>) => Promise<ExecutionResult>,
): Promise<ExecutionResult['status']> {
  const { region } = stack().s3;
  const pool = new LambdaPool({
    environment: { AWS_REGION: region, AWS_DEFAULT_REGION: region, ...lambdaEnvironment() },
  });
  const controller = new AbortController();
  let invocations = 0;
  const { status } = await execute({
    signal: controller.signal,
    runner: {
      invoke: async (...invocation: Parameters<LambdaPool['invoke']>) => {
        const answer = await pool.invoke(...invocation);
        invocations += 1;
        if (invocations > most) controller.abort();
        return answer;
      },
      close: () => pool.close(),
    },
  });
  return status;
}

/**
 * Kills the process of each state's function once, so many milliseconds after it was invoked: in the middle of what it does, as
 * far as a time can hit it.
 */
export function killingEachOnce(milliseconds: number): {
  readonly killed: ReadonlySet<string>;
  readonly onInvoke: NonNullable<ExecutionOptions['onInvoke']>;
} {
  const killed = new Set<string>();
  return {
    killed,
    onInvoke: ({ state, kill }) => {
      if (killed.has(state)) return;
      killed.add(state);
      setTimeout(kill, milliseconds);
    },
  };
}
