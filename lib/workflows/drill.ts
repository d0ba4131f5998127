import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { RESTORE_MAP_LABELS, restoreArchiveSteps } from './restore-archive.ts';
import { stepTask } from './step-task.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Properties of {@link DrillWorkflow}. */
export interface DrillWorkflowProps extends WorkflowContext {
  /** Segments imported, and ranges read, at the same time. */
  readonly segmentConcurrency: number;
}

/**
 * The workflow *Drill*: restores an archive that it picks at random, out of sight, proves it, and drops it again. The
 * table is never published and never attached.
 */
export class DrillWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { segmentConcurrency, ...context }: DrillWorkflowProps) {
    super(scope, id);
    const { functions } = context;
    const pick = stepTask(this, functions, 'select-archive', {
      comment: 'Selects an archive at random, by the manifests alone, of at most maxMiB of data.',
      payload: { 'input.$': '$', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.plan',
    });
    const cancel = stepTask(this, functions, 'cancel-drill', {
      comment: 'Drops what the drill has made so far, and fails the execution with the reason.',
      payload: { 'state.$': '$', 'execution.$': '$$.Execution.Name' },
      resultPath: sfn.JsonPath.DISCARD,
    });
    const end = stepTask(this, functions, 'finish-drill', {
      comment:
        'Compares what was read with the manifest, drops the table, and records that the drill was successful.',
      payload: { 'restoreId.$': '$.step.Payload.restoreId', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.report',
    });
    end.addCatch(cancel, { resultPath: '$.failure' });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the report.',
      outputPath: '$.report.Payload',
    });
    const nothing = new sfn.Succeed(this, 'NothingToDrill', { comment: 'There is no archive yet.' });
    const anything = new sfn.Choice(this, 'Is there an archive?', {
      comment: 'Before the first archive there is nothing to try.',
    });
    end.next(done);
    const drill = restoreArchiveSteps(this, {
      functions,
      segmentConcurrency,
      archive: {
        'archive.$': '$.plan.Payload.archive',
        'retrieval.$': '$.plan.Payload.retrieval',
        'execution.$': '$.plan.Payload.execution',
      },
      options: { options: 'drill' },
      onFailure: cancel,
      proven: end,
      published: nothing,
    });
    this.stateMachine = makeWorkflow(this, 'Drill', {
      comment:
        'Restores an archive that it picks at random, out of sight, proves it against its manifest, and drops it again. Input, all optional: {"maxMiB": 1024, "retrieval": {"tier": "Bulk", "days": 3}}: the largest archive that is tried, and how S3 is asked for it where it lies in a Glacier tier.',
      definition: pick.next(
        anything.when(sfn.Condition.stringEquals('$.plan.Payload.next', 'drill'), drill).otherwise(nothing),
      ),
      // Two days of Glacier, and two for the rest; what is older is taken for left over.
      timeout: Duration.days(4),
      mapLabels: [RESTORE_MAP_LABELS.segment, RESTORE_MAP_LABELS.range],
      ...context,
    });
  }
}
