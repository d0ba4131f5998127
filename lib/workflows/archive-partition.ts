import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { childExecutions } from './maps.ts';
import { failureTask, stepTask } from './step-task.ts';

const PARTITION_AND_REQUEST = { 'partitionId.$': '$.partitionId', 'request.$': '$.request' };
const PARTITION_AND_SEGMENT = {
  'partitionId.$': '$.partitionId',
  'segmentNumber.$': '$.segmentNumber',
  'execution.$': '$.execution',
};
const PARTITION_AND_FAILURE = {
  'partitionId.$': '$.partitionId',
  'request.$': '$.request',
  'failure.$': '$.failure',
};
const SEGMENT_AND_FAILURE = { ...PARTITION_AND_SEGMENT, 'failure.$': '$.failure' };

/** Labels of the Maps, which are part of the names of their child executions. */
export const MAP_LABELS = { partition: 'Partition', segment: 'Segment' } as const;

/** Results of a segment's child execution. */
export const PROVEN = 'proven';
export const FAILED = 'failed';

/** What is done with one partition. No failure leaves it: each is recorded in the ledger, which Report reads. */
export function partitionSteps(
  scope: Construct,
  functions: ArchiverFunctions,
  segmentConcurrency: number,
): sfn.IChainable {
  const done = new sfn.Pass(scope, 'PartitionDone', {
    comment: 'The result stands in the ledger; nothing travels back.',
    result: sfn.Result.fromObject({}),
  });
  const recordFailure = failureTask(scope, functions, 'record-failure', done, {
    comment: 'Writes into the ledger why this partition failed.',
    payload: PARTITION_AND_FAILURE,
  });

  const quarantine = stepTask(scope, functions, 'quarantine', {
    comment:
      'Fences the table, moves it into the quarantine schema, plans its segments; or finds that it is done.',
    payload: PARTITION_AND_REQUEST,
    resultPath: '$.step',
  });
  const forEachSegment = childExecutions(scope, 'ForEachSegment', {
    comment:
      'A child execution for each segment, a range of heap blocks. One that fails does not stop the others.',
    items: '$.step.Payload.segments',
    item: {
      'partitionId.$': '$.partitionId',
      'segmentNumber.$': '$$.Map.Item.Value',
      'execution.$': '$.request.execution',
      ...(isMixed(functions) && { 'next.$': '$.step.Payload.next' }),
    },
    atOnce: segmentConcurrency,
    label: MAP_LABELS.segment,
    steps: segmentSteps(scope, functions),
    resultSelector: { 'failed.$': `States.ArrayContains($, '${FAILED}')` },
    resultPath: '$.segments',
  });
  const commit = stepTask(scope, functions, 'commit', {
    comment: 'Proves that the segments add up to the table, tries the DDL, writes the manifest last.',
    payload: PARTITION_AND_REQUEST,
    resultPath: '$.step',
  });
  const drop = stepTask(scope, functions, 'drop', {
    comment: 'Heads every object of the manifest, then drops the table if it is due. Never CASCADE.',
    payload: PARTITION_AND_REQUEST,
    resultPath: '$.step',
  });
  for (const state of [quarantine, forEachSegment, commit, drop]) {
    state.addCatch(recordFailure, { resultPath: '$.failure' });
  }

  const allProven = new sfn.Choice(scope, 'All segments proven?', {
    comment: 'Failures of segments have been recorded already; the next run exports those again.',
  });
  const whatIsNext = new sfn.Choice(scope, 'What is next?', {
    comment: 'Export segments, drop the table, or nothing (until its grace period is over).',
  });
  forEachSegment.next(
    allProven.when(sfn.Condition.booleanEquals('$.segments.failed', true), done).otherwise(commit),
  );
  // A segment that proved too large was split, and its halves are exported by another round.
  commit.next(whatIsNext);
  for (const [step] of EXPORTS.filter(([each]) => functions.has(each))) {
    whatIsNext.when(sfn.Condition.stringEquals('$.step.Payload.next', step), forEachSegment);
  }
  whatIsNext.when(sfn.Condition.stringEquals('$.step.Payload.next', 'drop'), drop).otherwise(done);
  drop.next(done);
  return quarantine.next(whatIsNext);
}

/** What is done with one segment. Its child execution returns with one word. */
function segmentSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const proven = new sfn.Pass(scope, 'SegmentProven', {
    comment: 'Bytes in S3 and in the table are the same.',
    result: sfn.Result.fromString(PROVEN),
  });
  const failed = new sfn.Pass(scope, 'SegmentFailed', {
    comment: 'The partition stays in quarantine, and is resumed by the next run.',
    result: sfn.Result.fromString(FAILED),
  });
  const recordFailure = failureTask(scope, functions, 'record-failure', failed, {
    stateName: 'RecordSegmentFailure',
    comment: 'Writes into the ledger why this segment, and so its partition, failed.',
    payload: SEGMENT_AND_FAILURE,
  });
  const verify = stepTask(scope, functions, 'verify', {
    comment:
      'Reads the object back and compares it with a second COPY out of the table; with one reading, with what was sent.',
    payload: PARTITION_AND_SEGMENT,
    resultPath: sfn.JsonPath.DISCARD,
  });
  verify.next(proven);
  const exporting = EXPORTS.filter(([step]) => functions.has(step)).map(([step, comment]) => {
    const task = stepTask(scope, functions, step, {
      comment,
      payload: PARTITION_AND_SEGMENT,
      resultPath: sfn.JsonPath.DISCARD,
    });
    task.next(verify);
    return [step, task] as const;
  });
  for (const state of [...exporting.map(([, task]) => task), verify]) {
    state.addCatch(recordFailure, { resultPath: '$.failure' });
  }
  const [[, only]] = exporting as [(typeof exporting)[number]];
  if (!isMixed(functions)) return only;
  const howIsItExported = new sfn.Choice(scope, 'How is it exported?', {
    comment: 'As the partition set is configured.',
  });
  for (const [step, task] of exporting) {
    howIsItExported.when(sfn.Condition.stringEquals('$.next', step), task);
  }
  return howIsItExported;
}

/** Whether some partition sets are exported by aws_s3, and others streamed. */
const isMixed = (functions: ArchiverFunctions): boolean => EXPORTS.every(([step]) => functions.has(step));

/** The ways to export a segment. */
const EXPORTS = [
  [
    'export',
    'The database writes this segment to S3 by aws_s3. A retry writes the same bytes to the same key.',
  ],
  [
    'stream',
    'Copies this segment from the database to S3, and reads nothing there. Each attempt has a key of its own.',
  ],
] as const;
