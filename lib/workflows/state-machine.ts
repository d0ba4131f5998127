import { ArnFormat, type Duration, Fn, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';
import { physicalName } from '../physical-name.ts';
import type { ArchiverFunctions } from '../functions/functions.ts';

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
}

/** What all workflows of an archiver have in common. */
export type WorkflowContext = Pick<WorkflowProps, 'functions' | 'logGroup'>;

/** Makes the log group of all workflows of an archiver. */
export function makeWorkflowLogs(scope: Construct, id: string, retention: logs.RetentionDays): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    // With any other name it adds itself to the account's resource policy for logs, which is full at some forty.
    logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(scope, { maxLength: 200, separator: '-' })}`,
    retention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/**
 * Makes a state machine that is logged and traced. Its id, `RestoreDrill`, names it in the console; `restore-drill` in
 * the template's metadata, where the local runner finds it.
 */
export function makeWorkflow(
  scope: Construct,
  id: string,
  { comment, definition, timeout, functions, mapLabels = [], logGroup }: WorkflowProps,
): sfn.StateMachine {
  const stateMachine = new sfn.StateMachine(scope, id, {
    // Nothing that a setting changes replaces a state machine, so that a name of its own does not get in the way.
    stateMachineName: physicalName(functions.archiver, id),
    comment: `Database ${functions.databaseName}. ${comment}`,
    stateMachineType: sfn.StateMachineType.STANDARD,
    definitionBody: sfn.DefinitionBody.fromChainable(definition),
    timeout,
    tracingEnabled: true,
    logs: {
      destination: logGroup,
      level: sfn.LogLevel.ALL,
      // Numbers of the ledger and error messages, which hold no row data.
      includeExecutionData: true,
    },
  });
  (stateMachine.node.defaultChild as sfn.CfnStateMachine).addMetadata(
    WORKFLOW_METADATA,
    id.replaceAll(/(?<=.)[A-Z]/g, '-$&').toLowerCase(),
  );
  acknowledgeWildcards(scope, 'Delivery of logs and traces know no resources.', ['*']);
  acknowledgeWildcards(
    scope,
    'The workflow invokes the functions of its steps, in any version.',
    functions.invoked.map(({ functionArn }) => `${functionArn}:*`),
  );
  if (mapLabels.length > 0) acknowledgeMaps(scope, stateMachine, mapLabels);
  return stateMachine;
}

function acknowledgeMaps(scope: Construct, stateMachine: sfn.StateMachine, labels: readonly string[]): void {
  const execution = Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    resourceName: Fn.select(6, Fn.split(':', stateMachine.stateMachineArn)),
  });
  acknowledgeWildcards(
    scope,
    'The Maps start, watch and redrive child executions of this very state machine.',
    [`${execution}:*`, ...labels.map((label) => `${execution}/${label}:*`)],
  );
}
