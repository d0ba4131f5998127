/**
 * How soon an operator has to act on an alarm. `mail`: the next run, or another start, repairs it. `page`: nothing improves
 * until an operator acts, and partitions, or the archive itself, wait for that.
 */
export type Severity = 'mail' | 'page';

/** Alarms that mail, by their ids. All others page. */
const MAILS: ReadonlySet<string> = new Set([
  'ExecutionFailed',
  'ExecutionTimedOut',
  'ExecutionAborted',
  'ExecutionThrottled',
  'OperationInterrupted',
  'AuditFailed',
  'ConvertFailed',
]);

/** The severity of an alarm, by its id. */
export const severityOf = (id: string): Severity => (MAILS.has(id) ? 'mail' : 'page');
