import { CRON_FIELDS, fieldsOf, valuesOf } from './cron-fields.ts';
import { matching } from './fields.ts';
import { longestPauseDays } from './longest-pause.ts';

/** An expression of EventBridge Scheduler, such as `cron(0 3 1 * ? *)` or `rate(1 day)`. */
export const scheduleExpression = matching(
  /^(rate\([1-9]\d* (minutes?|hours?|days?)\)|cron\(\S+ \S+ \S+ \S+ \S+ \S+\))$/,
  'must be an EventBridge Scheduler expression such as cron(0 3 1 * ? *)',
).superRefine((expression, context) => {
  for (const message of cronProblems(expression)) context.addIssue({ code: 'custom', message });
});

function cronProblems(expression: string): string[] {
  const fields = fieldsOf(expression);
  if (fields.length !== CRON_FIELDS.length) return [];
  const problems = CRON_FIELDS.flatMap((field, index) => {
    const text = fields[index] ?? '';
    const isField = field.special?.test(text) === true || valuesOf(text, field) !== null;
    return isField ? [] : [`has ${JSON.stringify(text)} for ${field.name}`];
  });
  const [, , dayOfMonth, , dayOfWeek] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    problems.push('must have ? for either the day of the month or the day of the week, and not for both');
  }
  if (problems.length === 0 && longestPauseDays(expression) === 0) problems.push('has no day in any year');
  return problems;
}
