import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { stepTask } from './step-task.ts';
import type { Step } from '../functions/steps.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';

/** Properties of {@link SingleStepWorkflow}. */
export interface SingleStepWorkflowProps extends WorkflowContext {
  readonly step: Step;
  /** Name of the one state that does something. */
  readonly stateName: string;
  /** What that state does. */
  readonly stateComment: string;
  /** What the workflow does, and every field of its input. */
  readonly comment: string;
}

/** A workflow of one step, which reads the input itself, and whose result is the output. */
export class SingleStepWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(
    scope: Construct,
    id: string,
    { step, stateName, stateComment, comment, ...context }: SingleStepWorkflowProps,
  ) {
    super(scope, id);
    const task = stepTask(this, context.functions, step, {
      stateName,
      comment: stateComment,
      payload: { 'input.$': '$', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.result',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the result.',
      outputPath: '$.result.Payload',
    });
    this.stateMachine = makeWorkflow(this, id, {
      comment,
      definition: task.next(done),
      timeout: Duration.hours(1),
      ...context,
    });
  }
}
