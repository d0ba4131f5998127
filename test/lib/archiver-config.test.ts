import { expect, test } from '@jest/globals';
import type { AlarmThresholds } from '../../lib/monitoring/alarm-thresholds.ts';
import type { ArchiverConfig, PartitionSet } from '../../lib/archiver-config.ts';
import { checkedProps } from '../../lib/checked-props.ts';
import { alarmsSchema } from '../../core/config/alarms.ts';
import type { PartitionSetConfig } from '../../core/config/partition-set.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';

const set = {
  schema: 'app',
  table: 'event',
  drop: true,
  graceDays: 1,
  segmentSizeMiB: 2,
  export: 'stream',
  proof: 'two-readings',
  compression: 'gzip',
  acceptIncompleteRestore: true,
  acceptRowsInDefault: true,
  timeZone: 'Europe/Berlin',
  query: true,
} satisfies Required<PartitionSet> satisfies Record<keyof PartitionSetConfig, unknown>;

const config = {
  partitionSets: [set],
  concurrency: { partitions: 3, segments: 4 },
  objectLock: { days: 5, mode: 'COMPLIANCE' },
  expiry: { days: 6, deleteVersionsAfterDays: 7 },
  acceptedPublications: ['cdc'],
  glueDatabase: 'archive',
} satisfies Required<ArchiverConfig> satisfies Record<keyof RuntimeConfig, unknown>;

const thresholds = {
  overdueDays: 1,
  futurePartitions: 2,
  missedRunDays: 3,
  missedArchiveRunDays: 4,
  missedDrillDays: 5,
  missedAuditDays: 6,
} satisfies Required<AlarmThresholds>;

// Seen to fail (not to compile) without acceptRowsInDefault in PartitionSet, which a construct could not be given.
test('a construct takes each setting that a deployment file has', () => {
  expect(checkedProps({ config })).toEqual(config);
  const { topicArn, pageTopicArn, ...settings } = alarmsSchema.shape;
  expect(Object.keys(thresholds).toSorted()).toEqual(Object.keys(settings).toSorted());
});
