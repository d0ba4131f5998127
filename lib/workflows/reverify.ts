import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { FAILED, MAP_LABELS, PROVEN } from './archive-partition.ts';
import { childExecutions } from './maps.ts';
import { failureTask, stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Properties of {@link ReverifyWorkflow}. */
export interface ReverifyWorkflowProps extends WorkflowContext {
  /** How much runs at the same time. */
  readonly concurrency: { readonly partitions: number; readonly segments: number };
}

/** The workflow *Reverify*: verified partitions that were not dropped yet are fenced, and proven against their archives, again. */
export class ReverifyWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { concurrency, ...context }: ReverifyWorkflowProps) {
    super(scope, id);
    const { functions } = context;
    const plan = stepTask(this, functions, 'reverify-plan', {
      comment: 'Reads the input and finds the partitions.',
      payload: {
        'input.$': '$',
        'execution.$': '$$.Execution.Name',
        'redriveCount.$': '$$.Execution.RedriveCount',
      },
      resultPath: '$.request',
    });
    const forEachPartition = childExecutions(this, 'ForEachPartition', {
      comment:
        'A child execution for each partition. One that fails is recorded and does not stop the others.',
      items: '$.request.Payload.partitionIds',
      item: {
        'partitionId.$': '$$.Map.Item.Value',
        request: {
          'startedAt.$': '$.request.Payload.startedAt',
          'execution.$': '$.request.Payload.execution',
        },
      },
      atOnce: concurrency.partitions,
      label: MAP_LABELS.partition,
      steps: partitionSteps(this, functions, concurrency.segments),
      toleratesStops: true,
      resultPath: sfn.JsonPath.DISCARD,
    });
    const report = stepTask(this, functions, 'reverify-report', {
      comment: 'Sums up what was verified again. Fails the execution if a partition failed.',
      payload: { 'request.$': '$.request.Payload', 'redriveCount.$': '$$.Execution.RedriveCount' },
      resultPath: '$.report',
    });
    const resume = new sfn.Choice(this, 'Resume?', {
      comment: 'A redrive starts at the report, which then asks to work on what failed again.',
    });
    const takeUpAgain = new sfn.Pass(this, 'TakeUpAgain', {
      comment: 'The same partitions; those that were verified meanwhile are done.',
      parameters: {
        'partitionIds.$': '$.request.Payload.partitionIds',
        'more.$': '$.request.Payload.more',
        'startedAt.$': '$.request.Payload.startedAt',
        'execution.$': '$.request.Payload.execution',
        'redriveCount.$': '$$.Execution.RedriveCount',
      },
      resultPath: '$.request.Payload',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.report.Payload',
    });
    takeUpAgain.next(forEachPartition);
    this.stateMachine = makeWorkflow(this, 'Reverify', {
      comment:
        'Proves verified partitions that were not dropped yet against their archives once more, behind a new fence: after a major upgrade, or in doubt. Input: {"partitionId": 42}, {"partitionIds": [42, 43]} or {"all": "verified"}',
      definition: plan
        .next(forEachPartition)
        .next(report)
        .next(
          resume
            .when(sfn.Condition.booleanEquals('$.report.Payload.resume', true), takeUpAgain)
            .otherwise(done),
        ),
      timeout: Duration.days(14),
      mapLabels: Object.values(MAP_LABELS),
      ...context,
    });
  }
}

/** What is done with one partition. No failure leaves it: each is recorded in the ledger, which the report reads. */
function partitionSteps(scope: Construct, functions: ArchiverFunctions, segments: number): sfn.IChainable {
  const done = new sfn.Pass(scope, 'PartitionDone', {
    comment: 'The result stands in the ledger; nothing travels back.',
    result: sfn.Result.fromObject({}),
  });
  const recordFailure = failureTask(scope, functions, 'record-failure', done, {
    comment: 'Writes into the ledger why this partition failed.',
    payload: { 'partitionId.$': '$.partitionId', 'request.$': '$.request', 'failure.$': '$.failure' },
  });
  const begin = stepTask(scope, functions, 'reverify-begin', {
    comment: 'Fences and seals the table again. Until the end the partition is blocked, and never dropped.',
    payload: { 'partitionId.$': '$.partitionId', 'request.$': '$.request' },
    resultPath: '$.step',
  });
  const forEachSegment = childExecutions(scope, 'ForEachSegment', {
    comment: 'A child execution for each segment that was not compared yet.',
    items: '$.step.Payload.segments',
    item: {
      'partitionId.$': '$.partitionId',
      'segmentNumber.$': '$$.Map.Item.Value',
      'evidence.$': '$.step.Payload.evidence',
      'execution.$': '$.request.execution',
    },
    atOnce: segments,
    label: MAP_LABELS.segment,
    steps: segmentSteps(scope, functions),
    resultSelector: { 'failed.$': `States.ArrayContains($, '${FAILED}')` },
    resultPath: '$.segments',
  });
  const finish = stepTask(scope, functions, 'reverify-finish', {
    comment: 'Verified again, with the manifest that it has.',
    payload: {
      'partitionId.$': '$.partitionId',
      'evidence.$': '$.step.Payload.evidence',
      'execution.$': '$.request.execution',
    },
    resultPath: sfn.JsonPath.DISCARD,
  });
  for (const state of [begin, forEachSegment, finish]) {
    state.addCatch(recordFailure, { resultPath: '$.failure' });
  }
  const isOpen = new sfn.Choice(scope, 'Anything to compare?', {
    comment: 'Not if it was verified since this execution began.',
  });
  const allProven = new sfn.Choice(scope, 'All segments proven?', {
    comment: 'Failures of segments have been recorded already.',
  });
  forEachSegment.next(
    allProven.when(sfn.Condition.booleanEquals('$.segments.failed', true), done).otherwise(finish),
  );
  finish.next(done);
  return begin.next(
    isOpen.when(sfn.Condition.stringEquals('$.step.Payload.next', 'compare'), forEachSegment).otherwise(done),
  );
}

/** What is done with one segment. Its child execution returns with one word. */
function segmentSteps(scope: Construct, functions: ArchiverFunctions): sfn.IChainable {
  const payload = {
    'partitionId.$': '$.partitionId',
    'segmentNumber.$': '$.segmentNumber',
    'execution.$': '$.execution',
  };
  const proven = new sfn.Pass(scope, 'SegmentProven', {
    comment: 'Bytes in S3 and in the table are the same.',
    result: sfn.Result.fromString(PROVEN),
  });
  const failed = new sfn.Pass(scope, 'SegmentFailed', {
    comment: 'The partition stays blocked, and is taken up by the next Reverify.',
    result: sfn.Result.fromString(FAILED),
  });
  const recordFailure = failureTask(scope, functions, 'record-failure', failed, {
    stateName: 'RecordSegmentFailure',
    comment: 'Writes into the ledger why this segment, and so its partition, failed.',
    payload: { ...payload, 'failure.$': '$.failure' },
  });
  const compare = stepTask(scope, functions, 'reverify-segment', {
    comment: 'Reads table and archive again and compares them, byte for byte.',
    payload: { ...payload, 'evidence.$': '$.evidence' },
    resultPath: sfn.JsonPath.DISCARD,
  });
  compare.addCatch(recordFailure, { resultPath: '$.failure' });
  return compare.next(proven);
}
