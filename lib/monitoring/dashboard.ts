import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import type { ArchiverMetrics } from './metrics.ts';

/** Properties of {@link ArchiveDashboard}. */
export interface ArchiveDashboardProps {
  /** Name of the dashboard in the console. */
  readonly name: string;
  readonly metrics: ArchiverMetrics;
  readonly alarms: readonly cloudwatch.IAlarm[];
  readonly functions: ArchiverFunctions;
  /** Where the page on the archive is seen in the console of S3. */
  readonly pageUrl: string;
}

const FULL_WIDTH = 24;

/** What was archived, what is due, what is stuck, and how much the database shrank, at a glance. */
export class ArchiveDashboard extends Construct {
  constructor(scope: Construct, id: string, props: ArchiveDashboardProps) {
    super(scope, id);
    const { name, metrics, alarms, functions, pageUrl } = props;
    const perSet = (title: string, metricName: Parameters<ArchiverMetrics['perSet']>[0]) =>
      new cloudwatch.SingleValueWidget({
        title,
        width: 6,
        height: 4,
        // Long enough to find the last value of a day.
        metrics: metrics.perSet(metricName, 'Maximum'),
      });
    const history = (title: string, ...lines: cloudwatch.IMetric[]) =>
      new cloudwatch.GraphWidget({ title, width: 12, height: 6, left: lines, leftYAxis: { min: 0 } });
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: name,
      defaultInterval: Duration.days(90),
      widgets: [
        [
          new cloudwatch.AlarmStatusWidget({
            title: 'Alarms (docs/runbook.md)',
            width: FULL_WIDTH,
            height: 3,
            alarms: [...alarms],
          }),
        ],
        [
          new cloudwatch.TextWidget({
            width: FULL_WIDTH,
            height: 1,
            background: cloudwatch.TextWidgetBackground.TRANSPARENT,
            markdown: `[Each period of each set, its archive, and how to query and restore it](${pageUrl}): press *Open* there. As of the last run.`,
          }),
        ],
        [
          perSet('Archived so far', 'ArchivedBytes'),
          perSet('Size of dropped tables', 'FreedBytes'),
          perSet('Attached partitions take (by the last ANALYZE)', 'AttachedBytes'),
          perSet('Due to be dropped', 'DuePartitions'),
        ],
        [
          perSet('Detached, not archived yet', 'WaitingPartitions'),
          perSet('Archived, still in the database', 'VerifiedPartitions'),
          perSet('Blocked', 'BlockedPartitions'),
          perSet('Oldest one overdue for (days)', 'OverdueDays'),
        ],
        [
          history(
            'Partitions a day',
            metrics.metric('PartitionsArchived', 'Sum').with({ label: 'archived and proven' }),
            metrics.metric('PartitionsDropped', 'Sum').with({ label: 'dropped' }),
            metrics.metric('PartitionsFailed', 'Sum').with({ label: 'failed' }),
          ),
          history('Bytes archived a day', metrics.metric('BytesArchived', 'Sum').with({ label: 'bytes' })),
        ],
        [
          history('Size of the attached partitions', ...metrics.perSet('AttachedBytes', 'Maximum')),
          history('Partitions in the future', ...metrics.perSet('FuturePartitions', 'Minimum')),
        ],
        [
          history(
            'Days since the last successful restore drill and audit',
            metrics.metric('DaysSinceSuccessfulDrill', 'Minimum').with({ label: 'drill' }),
            metrics.metric('DaysSinceSuccessfulAudit', 'Minimum').with({ label: 'audit' }),
          ),
        ],
        [
          new cloudwatch.LogQueryWidget({
            title: 'Failures',
            width: FULL_WIDTH,
            height: 8,
            logGroupNames: functions.logGroups.map(({ logGroupName }) => logGroupName),
            queryLines: [
              'fields @timestamp, message.step as step, message.error as error, message.partitionId as partition, message.segmentNumber as segment, message.message as reason, message.execution as execution',
              "filter message.event = 'failed'",
              'sort @timestamp desc',
              'limit 50',
            ],
          }),
        ],
      ],
    });
  }
}
