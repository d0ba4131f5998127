import { describe, expect, test } from '@jest/globals';
import { longestPauseDays } from '../../../core/config/longest-pause.ts';
import { scheduleExpression } from '../../../core/config/schedule-expression.ts';
import { partitionSetSchema } from '../../../core/config/partition-set.ts';

// Seen to fail without: cronProblems in scheduleExpression (they were taken).
test.each([
  'cron(99 3 1 * ? *)',
  'cron(0 24 1 * ? *)',
  'cron(0 3 32 * ? *)',
  'cron(0 3 1 13 ? *)',
  'cron(0 3 1 * 2 *)',
  'cron(0 3 ? * ? *)',
  'cron(0 3 ? * FOO *)',
  'cron(0/0 3 1 * ? *)',
  'rate(0 days)',
  'cron(0 3 30 2 ? *)',
  'cron(0 3 31W 4,6 ? *)',
])('%s is refused', (expression) => {
  expect(scheduleExpression.safeParse(expression).success).toBe(false);
});

// Seen to fail with 7 for each day of the week and 31 for each day of the month: Convert could start once a month, though
// archives that expire are withdrawn from Glue only seven days before. And with 366 for each list of months.
describe.each([
  ['cron(0 3 1 * ? *)', 31],
  ['cron(0 3 1/10 * ? *)', 10],
  ['cron(0 3 15,31 * ? *)', 30],
  ['cron(0 3 29-31 * ? *)', 57],
  ['cron(0 3 31W * ? *)', 63],
  ['cron(0 3 L * ? *)', 31],
  ['cron(0 3 LW * ? *)', 33],
  ['cron(0 3 1W * ? *)', 33],
  ['cron(0/15 * * * ? *)', 1],
  ['cron(0 3 ? * MON-FRI *)', 3],
  ['cron(0 3 ? * FRI-MON *)', 4],
  ['cron(0 3 ? * 2/2 *)', 3],
  ['cron(0 3 ? * L *)', 7],
  ['cron(0 3 ? * 6L *)', 35],
  ['cron(0 3 ? * 6#1 *)', 35],
  ['cron(0 3 ? * 6#5 *)', 119],
  ['cron(0 3 L 1,7 ? *)', 184],
  ['cron(0 3 1 */3 ? *)', 92],
  ['cron(0 3 29 2 ? *)', 1461],
  ['rate(7 days)', 7],
])('%s', (expression, days) => {
  test('is taken', () => {
    expect(scheduleExpression.safeParse(expression).success).toBe(true);
  });

  test(`pauses for at most ${String(days)} days`, () => {
    expect(longestPauseDays(expression)).toBe(days);
  });
});

// The export role of the database could write manifests below shop/public/data/. Seen to fail without: isFolder in the schema.
test.each(['data', 'ddl', 'manifest', 'query', 'query-manifest', 'report'])(
  'a table %s is refused',
  (name) => {
    expect(partitionSetSchema.safeParse({ schema: 'public', table: name }).success).toBe(false);
    expect(partitionSetSchema.safeParse({ schema: name, table: 'orders' }).success).toBe(false);
    expect(partitionSetSchema.safeParse({ schema: 'public', table: `${name}s` }).success).toBe(true);
  },
);
