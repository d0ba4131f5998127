import * as z from 'zod';
import { matching, wholeNumber } from './fields.ts';

const topicArn = matching(
  /^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/,
  'must be the ARN of an SNS topic',
).optional();

/** Who hears of what. */
export const alarmsSchema = z.strictObject({
  topicArn: topicArn.describe('Topic that alarms publish to. Default: a new topic.'),
  pageTopicArn: topicArn.describe(
    'Topic of the alarms that page: conditions that do not improve until an operator acts. Default: the topic of the other alarms.',
  ),
  overdueDays: wholeNumber(1, 3650)
    .default(40)
    .describe(
      'Alarm when a partition has been past its retention for this many days and is not archived. Default: 40 days (one monthly run, plus time to fix a failure).',
    ),
  futurePartitions: wholeNumber(0, 1000)
    .default(1)
    .describe('Alarm when a set has fewer future partitions than this. 0: no alarm.'),
  missedRunDays: wholeNumber(1, 400)
    .default(2)
    .describe(
      'Alarm when no run was successful for this many days, and not before this many days after the first deployment; the default schedules start two runs daily.',
    ),
  missedArchiveRunDays: wholeNumber(1, 3650)
    .default(40)
    .describe(
      'Alarm when a set was in no whole run for this many days; the default schedule starts one monthly.',
    ),
  missedDrillDays: wholeNumber(1, 3650)
    .default(40)
    .describe('Alarm when no restore drill succeeded for this many days, if drills are scheduled.'),
  missedAuditDays: wholeNumber(1, 3650)
    .default(40)
    .describe('Alarm when no audit succeeded for this many days, if audits are scheduled.'),
});
