import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import {
  ARCHIVER_DIMENSION,
  METRIC_NAMESPACE,
  PARTITION_SET_DIMENSION,
  type MetricName,
} from '../../core/config/metrics.ts';

/** The metrics that the steps of one archiver write into their logs. */
export class ArchiverMetrics {
  /** How metrics of this archiver are told from those of others: its `archiverName`. */
  readonly archiver: string;
  /** Names of the partition sets, as the metrics have them. */
  readonly partitionSets: readonly string[];

  constructor(archiver: string, partitionSets: readonly string[]) {
    this.archiver = archiver;
    this.partitionSets = partitionSets;
  }

  /** A metric of the archiver as a whole; of a set's metric, the values of all sets. */
  metric(metricName: MetricName, statistic: string, period: Duration = Duration.days(1)): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { [ARCHIVER_DIMENSION]: this.archiver },
      statistic,
      period,
    });
  }

  /** A metric of each set, one line for each. */
  perSet(
    metricName: MetricName,
    statistic: string,
    period: Duration = Duration.days(1),
  ): cloudwatch.Metric[] {
    return this.partitionSets.map(
      (partitionSet) =>
        new cloudwatch.Metric({
          namespace: METRIC_NAMESPACE,
          metricName,
          dimensionsMap: {
            [ARCHIVER_DIMENSION]: this.archiver,
            [PARTITION_SET_DIMENSION]: partitionSet,
          },
          label: partitionSet,
          statistic,
          period,
        }),
    );
  }
}
