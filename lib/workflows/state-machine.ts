import { ArnFormat, type Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';
import { physicalName } from '../physical-name.ts';
import type { ArchiverFunctions } from '../functions/functions.ts';
import { SharedRetriers } from './shared-retriers.ts';

/** Key of the template metadata by which the local runner finds a workflow among the state machines of a stack. */
const WORKFLOW_METADATA = 'partition-archiver:workflow';

/** What a workflow is made of. */
export interface WorkflowProps {
  /** For people who look at the state machine in the console: what it does, and every field of its input. */
  readonly comment: string;
  readonly definition: sfn.IChainable;
  readonly timeout: Duration;
  readonly functions: ArchiverFunctions;
  /**
   * Labels of its Distributed Maps.
   *
   * @default - it has none
   */
  readonly mapLabels?: readonly string[];
  /** Where the executions of all workflows are logged; each state machine has streams of its own there. */
  readonly logGroup: logs.ILogGroup;
  /** What the role of each workflow may do to log and to trace its executions. */
  readonly logPolicy: iam.IManagedPolicy;
}

/** What all workflows of an archiver have in common. */
export type WorkflowContext = Pick<WorkflowProps, 'functions' | 'logGroup' | 'logPolicy'>;

/** Makes the log group of all workflows of an archiver. */
export function makeWorkflowLogs(scope: Construct, id: string, retention: logs.RetentionDays): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    // With any other name it adds itself to the account's resource policy for logs, which is full at some forty.
    logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(scope, { maxLength: 200, separator: '-' })}`,
    retention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** Makes the policy that all workflows of an archiver share. Repeated in each role, its statements enlarged the template. */
export function makeWorkflowLogPolicy(scope: Construct, id: string): iam.ManagedPolicy {
  const policy = new iam.ManagedPolicy(scope, id, {
    description: 'Partition archiver, logs and traces of executions',
    statements: [
      new iam.PolicyStatement({
        sid: 'DeliverLogs',
        actions: [
          'logs:CreateLogDelivery',
          'logs:GetLogDelivery',
          'logs:UpdateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:DescribeResourcePolicies',
          'logs:DescribeLogGroups',
        ],
        resources: ['*'],
      }),
      new iam.PolicyStatement({
        sid: 'Trace',
        actions: [
          'xray:PutTraceSegments',
          'xray:PutTelemetryRecords',
          'xray:GetSamplingRules',
          'xray:GetSamplingTargets',
        ],
        resources: ['*'],
      }),
    ],
  });
  acknowledgeWildcards(policy, 'Delivery of logs and traces know no resources.', ['*']);
  return policy;
}

/**
 * Makes a state machine that is logged and traced. Its id, `RestoreDrill`, names it in the console; `restore-drill` in
 * the template's metadata, where the local runner finds it.
 */
export function makeWorkflow(
  scope: Construct,
  id: string,
  { comment, definition, timeout, functions, mapLabels = [], logGroup, logPolicy }: WorkflowProps,
): sfn.StateMachine {
  // Nothing that a setting changes replaces a state machine, so that a name of its own does not get in the way.
  const stateMachineName = physicalName(functions.archiver, id);
  const stateMachine = new sfn.StateMachine(scope, id, {
    stateMachineName,
    comment: `Database ${functions.databaseName}. ${comment}`,
    stateMachineType: sfn.StateMachineType.STANDARD,
    definitionBody: new SharedRetriers(definition),
    timeout,
  });
  const resource = stateMachine.node.defaultChild as sfn.CfnStateMachine;
  // By `logs` and `tracingEnabled` the CDK would write the statements of the policy into the role of each workflow.
  resource.tracingConfiguration = { enabled: true };
  resource.loggingConfiguration = {
    destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logGroup.logGroupArn } }],
    level: sfn.LogLevel.ALL,
    // Numbers of the ledger and error messages, which hold no row data.
    includeExecutionData: true,
  };
  stateMachine.role.addManagedPolicy(logPolicy);
  resource.addMetadata(WORKFLOW_METADATA, id.replaceAll(/(?<=.)[A-Z]/g, '-$&').toLowerCase());
  if (mapLabels.length > 0) allowMaps(scope, stateMachine, stateMachineName, mapLabels);
  return stateMachine;
}

/**
 * What Distributed Maps need, in the role itself and by the name of the state machine. The CDK makes a policy of its own,
 * a resource more, since its role cannot wait for the ARN of the state machine that waits for the role.
 */
function allowMaps(
  scope: Construct,
  stateMachine: sfn.StateMachine,
  resourceName: string,
  labels: readonly string[],
): void {
  if (!stateMachine.node.tryRemoveChild('DistributedMapPolicy')) {
    throw new Error('the CDK makes the policy of Distributed Maps in another way');
  }
  const arnOf = (resource: string): string =>
    Stack.of(scope).formatArn({
      service: 'states',
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  const executions = `${arnOf('execution')}:*`;
  const redriven = labels.map((label) => `${arnOf('execution')}/${label}:*`);
  const allow = (actions: string[], resources: string[]) =>
    stateMachine.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
  allow(['states:StartExecution'], [arnOf('stateMachine')]);
  allow(['states:DescribeExecution', 'states:StopExecution'], [executions]);
  allow(['states:RedriveExecution'], redriven);
  acknowledgeWildcards(
    scope,
    'The Maps start, watch and redrive child executions of this very state machine.',
    [executions, ...redriven],
  );
}
