import { ArchiverError } from '../errors.ts';

/** Executions that the message of the error names. */
const NAMED = 10;

/**
 * Throws `ExecutionRunning` unless none of these executions runs, each by its ARN. Preparing replaces functions of the
 * database, of which an execution would meet some before and some after it.
 */
export function refuseWhileRunning(executions: readonly string[]): void {
  if (executions.length === 0) return;
  // arn:aws:states:<Region>:<account>:execution:<state machine>:<name>
  const named = executions.slice(0, NAMED).map((arn) => arn.split(':').slice(6).join(' '));
  const more = executions.length > NAMED ? ' and more' : '';
  throw new ArchiverError('ExecutionRunning', `executions run: ${named.join(', ')}${more}`);
}
