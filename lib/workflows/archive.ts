import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { MAP_LABELS, partitionSteps } from './archive-partition.ts';
import { childExecutions } from './maps.ts';
import { stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Properties of {@link ArchiveWorkflow}. */
export interface ArchiveWorkflowProps extends WorkflowContext {
  /** How much runs at the same time. */
  readonly concurrency: { readonly partitions: number; readonly segments: number };
}

/**
 * The workflow *Archive*.
 *
 * It is JSONPath, and keeps to what the local runner runs as faithfully as Step Functions itself; the guard in
 * `local/step-functions` refuses the rest. Payloads carry numbers of the ledger, never lists of keys, and as many as
 * fit into 256 KiB (`core/limits.ts`).
 */
export class ArchiveWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { concurrency, ...context }: ArchiveWorkflowProps) {
    super(scope, id);
    const { functions } = context;
    const preflight = stepTask(this, functions, 'preflight', {
      comment: 'Reads the input and checks configuration, database and bucket. Nothing has been changed yet.',
      payload: { 'input.$': '$', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.request',
    });
    const explain = stepTask(this, functions, 'explain-unavailable', {
      comment:
        'Fails, and says why the database cannot be reached: a refused login, or the health of the proxy.',
      payload: { 'failure.$': '$.failure', 'execution.$': '$$.Execution.Name' },
      resultPath: sfn.JsonPath.DISCARD,
    });
    preflight.addCatch(explain, { errors: ['DatabaseUnavailable'], resultPath: '$.failure' });
    const maintain = stepTask(this, functions, 'maintain', {
      comment: 'Writes the attached partitions into the ledger, then runs pg_partman for each partition set.',
      payload: { 'request.$': '$.request.Payload' },
      resultPath: '$.maintain',
    });
    const detect = stepTask(this, functions, 'detect', {
      comment:
        'Finds the partitions to work on: detached, past their retention, not yet dropped; oldest first.',
      payload: {
        'request.$': '$.request.Payload',
        'redriveCount.$': '$$.Execution.RedriveCount',
      },
      resultPath: '$.detect',
    });
    const forEachPartition = childExecutions(this, 'ForEachPartition', {
      comment:
        'A child execution for each partition. One that fails is recorded and does not stop the others.',
      items: '$.detect.Payload.partitions',
      item: { 'partitionId.$': '$$.Map.Item.Value', 'request.$': '$.request.Payload' },
      atOnce: concurrency.partitions,
      label: MAP_LABELS.partition,
      steps: partitionSteps(this, functions, concurrency.segments),
      toleratesStops: true,
      resultPath: sfn.JsonPath.DISCARD,
    });
    const facts = stepTask(this, functions, 'page-facts', {
      comment: 'Reads what the page on the archive shows of the ledger. Without it the run continues.',
      payload: { 'request.$': '$.request.Payload' },
      resultPath: '$.page',
    });
    const page = stepTask(this, functions, 'put-page', {
      comment: 'Puts the page on the archive into the bucket. Without it the run continues.',
      payload: { 'facts.$': '$.page.Payload', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.page',
    });
    const report = stepTask(this, functions, 'report', {
      comment: 'Sums up what was archived, dropped and blocked. Fails the execution if a partition failed.',
      payload: {
        'request.$': '$.request.Payload',
        'maintain.$': '$.maintain.Payload',
        'detect.$': '$.detect.Payload',
        'redriveCount.$': '$$.Execution.RedriveCount',
      },
      resultPath: '$.report',
    });
    for (const each of [facts, page]) each.addCatch(report, { resultPath: '$.page' });
    const resume = new sfn.Choice(this, 'Resume?', {
      comment: 'A redrive starts at Report, which then asks to work on the failed partitions again.',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.report.Payload',
    });

    this.stateMachine = makeWorkflow(this, 'Archive', {
      comment:
        'Archives partitions that pg_partman has detached, proves the archive, then drops them. All fields of the input are optional and only narrow what is configured: {"partitionSets": ["public.orders"], "only": "inventory" or "drop", "dryRun": true, "archiveOnly": true}',
      definition: preflight
        .next(maintain)
        .next(detect)
        .next(forEachPartition)
        .next(facts)
        .next(page)
        .next(report)
        .next(
          resume.when(sfn.Condition.booleanEquals('$.report.Payload.resume', true), detect).otherwise(done),
        ),
      // Longer than any run should take, and well before an execution would meet the next monthly one.
      timeout: Duration.days(14),
      mapLabels: Object.values(MAP_LABELS),
      ...context,
    });
  }
}
