import { join } from 'node:path';
import { lambdaEnvironment as environmentOf } from '../../local/synthesise.ts';
import { stack, stackDirectory } from './stack.ts';

/**
 * What functions find instead of AWS in the run's stack. What Node.js compiled of a bundle is kept for the run's other
 * processes of that function: half of a cold start.
 */
export function lambdaEnvironment(): Record<string, string> {
  return { ...environmentOf(stack()), NODE_COMPILE_CACHE: join(stackDirectory(), 'compile-cache') };
}
