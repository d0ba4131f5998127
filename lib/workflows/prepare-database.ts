import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';
import { SLEEPER_RETRIER, stepTask } from './step-task.ts';

/** Properties of {@link PrepareDatabaseWorkflow}. */
export interface PrepareDatabaseWorkflowProps extends WorkflowContext {
  /** All other state machines of this archiver: none of them may run meanwhile. */
  readonly others: readonly sfn.StateMachine[];
}

/**
 * The workflow *PrepareDatabase*. The database knows the steps that run, by their locks, and not the executions, which may
 * be between two steps; so the executions are listed first. The step itself refuses, since SQL to print harms none of them.
 */
export class PrepareDatabaseWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { others, ...context }: PrepareDatabaseWorkflowProps) {
    super(scope, id);
    const machines = others.map(({ stateMachineArn }) => stateMachineArn);
    const begin = new sfn.Pass(this, 'Begin', {
      comment: 'Keeps the input of the execution beside what comes to it.',
      parameters: { 'input.$': '$', machines },
    });
    const list = new tasks.CallAwsService(this, 'ListExecutions', {
      comment: 'Reads which executions of a state machine run.',
      service: 'sfn',
      action: 'listExecutions',
      iamAction: 'states:ListExecutions',
      iamResources: machines,
      // Names for people, and not all of them.
      parameters: {
        StateMachineArn: sfn.JsonPath.stringAt('$.machine'),
        StatusFilter: 'RUNNING',
        MaxResults: 10,
      },
      resultSelector: { 'executions.$': '$.Executions' },
      taskTimeout: sfn.Timeout.duration(Duration.minutes(1)),
    });
    list.addRetry(SLEEPER_RETRIER);
    const forEachWorkflow = new sfn.Map(this, 'ForEachWorkflow', {
      comment: 'All other state machines of this archiver.',
      itemsPath: '$.machines',
      itemSelector: { 'machine.$': '$$.Map.Item.Value' },
      resultPath: '$.running',
    });
    forEachWorkflow.itemProcessor(list);
    const prepare = stepTask(this, context.functions, 'prepare-database', {
      stateName: 'Prepare',
      comment:
        'Does what is not done yet. Fails while another execution runs, or with what is missing, each with the statement that fixes it.',
      payload: {
        'input.$': '$.input',
        'execution.$': '$$.Execution.Name',
        'running.$': '$.running',
      },
      resultPath: '$.result',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is the result.',
      outputPath: '$.result.Payload',
    });
    this.stateMachine = makeWorkflow(this, id, {
      comment:
        'Prepares the database, while no other execution of the archiver runs: extensions, roles, ledger, functions, grants, passwords, guard; upgrades what an earlier version installed. {} or {"guard": false} to leave the event trigger out, {"print": true} for the SQL instead',
      definition: begin.next(forEachWorkflow).next(prepare).next(done),
      timeout: Duration.hours(1),
      ...context,
    });
  }
}
