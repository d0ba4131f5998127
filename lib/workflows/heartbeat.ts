import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { physicalName } from '../physical-name.ts';
import { makeWorkflow, type WorkflowContext } from './state-machine.ts';
import { SLEEPER_RETRIER, stepTask } from './step-task.ts';

/**
 * The workflow *Heartbeat*: once a day it publishes how long ago the deployment and the last successful run, drill and
 * audit were, and for how long an archive has been without its copy. An alarm on the metrics of executions looks back a week
 * at most, and cannot tell a new deployment from one whose schedules are disabled.
 */
export class HeartbeatWorkflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, context: WorkflowContext) {
    super(scope, id);
    const describe = new tasks.CallAwsService(this, 'DescribeThisWorkflow', {
      comment: 'Reads when this state machine was made: with the archiver, and nothing replaces it.',
      service: 'sfn',
      action: 'describeStateMachine',
      iamAction: 'states:DescribeStateMachine',
      // By its name: its own role cannot wait for its ARN.
      iamResources: [
        Stack.of(this).formatArn({
          service: 'states',
          resource: 'stateMachine',
          resourceName: physicalName(context.functions.archiver, 'Heartbeat'),
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      parameters: { StateMachineArn: sfn.JsonPath.stringAt('$$.StateMachine.Id') },
      resultSelector: { 'deployedAt.$': '$.CreationDate' },
      resultPath: '$.workflow',
      taskTimeout: sfn.Timeout.duration(Duration.minutes(1)),
    });
    describe.addRetry(SLEEPER_RETRIER);
    const publish = stepTask(this, context.functions, 'heartbeat', {
      stateName: 'PublishAges',
      comment: 'Asks the database, and publishes the metrics. A database that is not prepared is no failure.',
      payload: { 'deployedAt.$': '$.workflow.deployedAt', 'execution.$': '$$.Execution.Name' },
      resultPath: '$.heartbeat',
    });
    const done = new sfn.Succeed(this, 'Done', {
      comment: 'The output of the execution is what was published.',
      outputPath: '$.heartbeat.Payload',
    });
    const notAsked = new sfn.Succeed(this, 'DatabaseUnavailable', {
      comment:
        'No connection, or a refused login. The age of the deployment is published; runs fail as well, and ExecutionMissed pages.',
      outputPath: '$.failure',
    });
    const copies = context.functions.has('convert-segment')
      ? stepTask(this, context.functions, 'late-copies', {
          comment:
            'Publishes for how long archives have been without a Parquet copy. Asks S3, and not the database.',
          payload: { 'execution.$': '$$.Execution.Name' },
          resultPath: '$.copies',
        })
      : undefined;
    // Each check is made whatever becomes of the other one.
    copies?.addCatch(describe, { resultPath: '$.copiesFailure' });
    copies?.next(describe);
    const ended = copies === undefined ? undefined : endOf(this, { notAsked, done });
    publish.addCatch(ended ?? notAsked, { errors: ['DatabaseUnavailable'], resultPath: '$.failure' });
    describe.next(publish.next(ended ?? done));
    this.stateMachine = makeWorkflow(this, 'Heartbeat', {
      comment:
        'Publishes how long ago the deployment and the last successful run, drill and audit were, for alarms; a schedule starts it once a day. Changes nothing. Input: {}',
      definition: copies ?? describe,
      timeout: Duration.hours(1),
      ...context,
    });
  }
}

/** The end of an execution that has looked for late copies, too. */
function endOf(
  scope: Construct,
  { notAsked, done }: { readonly notAsked: sfn.Succeed; readonly done: sfn.Succeed },
): sfn.Choice {
  const copiesFailed = new sfn.Fail(scope, 'CopiesNotChecked', {
    comment: 'The ages are published; for how long archives have been without a copy is not.',
    error: 'CopiesNotChecked',
    cause: 'the step LateCopies failed, and its event in this execution has the error',
  });
  return new sfn.Choice(scope, 'Was all published?', {
    comment: 'Whether the look for late copies failed, or the database was not asked.',
  })
    .when(sfn.Condition.isPresent('$.copiesFailure'), copiesFailed)
    .when(sfn.Condition.isPresent('$.failure'), notAsked)
    .otherwise(done);
}
