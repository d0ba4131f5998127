import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { RESTORE_MAP_LABELS, restoreArchiveSteps } from './restore-archive.ts';
import { childExecutions } from './maps.ts';
import { failureTask, stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Properties of {@link RestoreWorkflow}. */
export interface RestoreWorkflowProps extends WorkflowContext {
  /** How much runs at the same time: archives as partitions. */
  readonly concurrency: { readonly partitions: number; readonly segments: number };
}

const COMMENT = [
  'Makes tables again from their archives, and proves them before they are visible. Input: either',
  '{"manifestKey": "<key>", "manifestVersionId": "<only for a version of it that is known to be good>"}',
  'or {"partitionSet": "public.orders", "from": "2021-01", "to": "2021-07", "database": "<the one that they were made in>"}',
  '(from is within, to is not; only partitionSet is required),',
  'and, all optional:',
  '"schema": "<another schema>", "table": "<another name, with one archive only>", "owner": "<another owner>",',
  '"attach": "parent" or "schema.table" of another partitioned table, "foreignKeys": false, "grants": false,',
  '"acceptIncomplete": true to attach a table that lacks some of its constraints, indexes or triggers,',
  '"acceptedPublications": ["<publication that may carry the table>"],',
  '"retrieval": {"tier": "Bulk", "Standard" or "Expedited", "days": 7} for what lies in a Glacier tier.',
  'The same input again continues with what is left.',
].join(' ');

/** The workflow *Restore*: one archive, or those of a range of a partition set. */
export class RestoreWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: RestoreWorkflowProps) {
    super(scope, id);
    const { concurrency, ...context } = props;
    const { functions } = context;
    const plan = stepTask(this, functions, 'plan-restore', {
      comment:
        'Reads the input and finds the archives, by their manifests alone. Nothing has been changed yet.',
      payload: {
        'input.$': '$',
        'execution.$': '$$.Execution.Name',
        'redriveCount.$': '$$.Execution.RedriveCount',
      },
      resultPath: '$.plan',
    });
    const forEachArchive = childExecutions(this, 'ForEachArchive', {
      comment: 'A child execution for each archive. One that fails is recorded and does not stop the others.',
      items: '$.plan.Payload.archives',
      item: {
        'archive.$': '$$.Map.Item.Value',
        'options.$': '$.plan.Payload.options',
        'execution.$': '$.plan.Payload.execution',
      },
      atOnce: concurrency.partitions,
      label: RESTORE_MAP_LABELS.archive,
      steps: this.archiveSteps(props),
      toleratesStops: true,
      resultPath: sfn.JsonPath.DISCARD,
    });
    const report = stepTask(this, functions, 'report-restore', {
      comment: 'Sums up what was restored. Fails the execution if an archive was not.',
      payload: {
        'plan.$': '$.plan.Payload',
        'redriveCount.$': '$$.Execution.RedriveCount',
        'execution.$': '$$.Execution.Name',
      },
      resultPath: '$.report',
    });
    const startAgain = new sfn.Pass(this, 'StartAgain', {
      comment: 'What is restored already is found, and what failed is tried again.',
      inputPath: '$.plan.Payload.input',
    });
    const resume = new sfn.Choice(this, 'Resume?', {
      comment: 'A redrive starts at ReportRestore, which then asks to work on the failed archives again.',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.report.Payload',
    });
    this.stateMachine = makeWorkflow(this, 'Restore', {
      comment: COMMENT,
      definition: plan
        .next(forEachArchive)
        .next(report)
        .next(
          resume
            .when(sfn.Condition.booleanEquals('$.report.Payload.resume', true), startAgain.next(plan))
            .otherwise(done),
        ),
      // Two days of Glacier, and a week of loading.
      timeout: Duration.days(14),
      mapLabels: Object.values(RESTORE_MAP_LABELS),
      ...context,
    });
  }

  /** What is done with one archive. No failure leaves it: each is recorded, which the report reads. */
  private archiveSteps({ functions, concurrency }: RestoreWorkflowProps): sfn.IChainable {
    const done = new sfn.Pass(this, 'ArchiveDone', {
      comment: 'What became of it stands in the database; nothing travels back.',
      result: sfn.Result.fromObject({}),
    });
    const recordFailure = failureTask(this, functions, 'record-restore-failure', done, {
      comment:
        'Records why this archive could not be restored. What is done so far is resumed by the next execution.',
      payload: { 'archive.$': '$.archive', 'execution.$': '$.execution', 'failure.$': '$.failure' },
    });
    const attach = stepTask(this, functions, 'attach', {
      comment: 'Validates the foreign keys, and attaches the table to a parent if the input asks for it.',
      payload: {
        'partitionId.$': '$.step.Payload.partitionId',
        'archive.$': '$.archive',
        'options.$': '$.options',
        'execution.$': '$.execution',
        waits: true,
      },
      resultPath: '$.attached',
    });
    const waitForAttach = new sfn.Wait(this, 'WaitForAttach', {
      comment: 'The server still does what an earlier call asked for.',
      time: sfn.WaitTime.secondsPath('$.attached.Payload.waitSeconds'),
    });
    const isAttached = new sfn.Choice(this, 'Is it attached?', {
      comment: 'Or the server still reads the table, or builds an index, for an earlier call.',
    });
    const publish = stepTask(this, functions, 'publish', {
      comment:
        'Compares what was read with the manifest; then schema, name, owner, grants and the ledger in one transaction.',
      payload: { 'restoreId.$': '$.step.Payload.restoreId', 'execution.$': '$.execution' },
      resultPath: '$.step',
    });
    for (const state of [publish, attach]) state.addCatch(recordFailure, { resultPath: '$.failure' });
    publish.next(attach);
    attach.next(
      isAttached
        // Only a call that waits has it. A function that was deployed before this definition returns nothing, once it is done.
        .when(sfn.Condition.isPresent('$.attached.Payload.waitSeconds'), waitForAttach.next(attach))
        .otherwise(done),
    );
    return restoreArchiveSteps(this, {
      functions,
      segmentConcurrency: concurrency.segments,
      archive: {
        'archive.$': '$.archive',
        'retrieval.$': '$.options.retrieval',
        'execution.$': '$.execution',
      },
      options: { 'options.$': '$.options' },
      onFailure: recordFailure,
      proven: publish,
      published: attach,
    });
  }
}
