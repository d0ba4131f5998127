import * as z from 'zod';
import { matching, wholeNumber } from './fields.ts';

/** Who hears of what. */
export const alarmsSchema = z.strictObject({
  topicArn: matching(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/, 'must be the ARN of an SNS topic')
    .optional()
    .describe('Topic that alarms go to. By default one is made.'),
  overdueDays: wholeNumber(1, 3650)
    .default(40)
    .describe(
      'Alarm when a partition has been past its retention for this many days and is not archived. By default a month and a grace for fixing.',
    ),
  futurePartitions: wholeNumber(0, 1000)
    .default(1)
    .describe('Alarm when a set has fewer partitions than this that lie in the future. 0: never.'),
  missedRunDays: wholeNumber(1, 7)
    .default(2)
    .describe(
      'Alarm when no execution succeeded for this many days; with the default schedules two run daily.',
    ),
  missedArchiveRunDays: wholeNumber(1, 3650)
    .default(40)
    .describe(
      'Alarm when a set was in no whole run for this many days; with the default schedule one runs monthly.',
    ),
  missedDrillDays: wholeNumber(1, 3650)
    .default(40)
    .describe(
      'Alarm when no restore drill was good for this many days, where drills are held on a schedule.',
    ),
  missedAuditDays: wholeNumber(1, 3650)
    .default(40)
    .describe('Alarm when no audit was good for this many days, where audits are started by a schedule.'),
});
