/* eslint-disable @typescript-eslint/no-unsafe-return -- answers are spoiled in their depths */
/**
 * An AWS account that gives the answers which AWS documents, by the commands that ask for them. Nobody recorded them on
 * AWS: their members are those of the service models that the AWS CLI brings (botocore 1.43.11), which every command and
 * every answer was compared with once.
 */
import type { Ended } from '../../acceptance/ports.ts';
import { ACCOUNT_ID, arn, OUTPUTS, REGION, RESOURCES, STACK } from './recorded-stacks.ts';
import { executions, KEPT_ROWS } from './recorded-executions.ts';
import { ROWS } from '../../acceptance/rows.ts';
import type { AccountState, Answer, Asked } from './account-state.ts';

const failed = (stderr: string): Ended => ({ code: 255, stdout: '', stderr });
const noStack = (name: string): Ended =>
  failed(
    `An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id ${name} does not exist`,
  );

/** The answers by command, such as `rds describe-db-proxy-targets`. */
export function recordedAnswers(
  state: AccountState,
): Readonly<Record<string, (asked: Asked, args: readonly string[]) => Answer>> {
  const { execute, sql } = executions(state);
  return {
    'sts get-caller-identity': () => ({
      UserId: 'AIDAEXAMPLE',
      Account: ACCOUNT_ID,
      Arn: `arn:aws:iam::${ACCOUNT_ID}:user/admin`,
    }),
    'ssm get-parameter': ({ name }) => ({ Parameter: { Name: name, Type: 'String', Value: '21' } }),
    'rds describe-db-engine-versions': () => ({
      DBEngineVersions: [
        {
          Engine: 'aurora-postgresql',
          EngineVersion: '17.5',
          SupportedFeatureNames: ['s3Export', 's3Import', 'Lambda'],
        },
      ],
    }),
    'rds describe-orderable-db-instance-options': () => ({
      OrderableDBInstanceOptions: [
        {
          Engine: 'aurora-postgresql',
          DBInstanceClass: 'db.serverless',
          AvailabilityZones: [
            { Name: 'eu-central-1a' },
            { Name: 'eu-central-1c' },
            { Name: 'eu-central-1b' },
          ],
        },
      ],
    }),
    'cloudformation deploy': ({ 'stack-name': name = '' }) => {
      state.statuses.set(name, 'CREATE_COMPLETE');
      return {};
    },
    'cloudformation describe-stacks': ({ 'stack-name': name = '' }) => {
      const StackStatus = state.statuses.get(name);
      if (StackStatus === undefined) return noStack(name);
      const Outputs = Object.entries(OUTPUTS).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
      return { Stacks: [{ StackName: name, StackStatus, Outputs: name === STACK ? [] : Outputs }] };
    },
    'cloudformation describe-type': ({ 'type-name': TypeName }) => ({
      TypeName,
      Type: 'RESOURCE',
      Schema: JSON.stringify({ properties: { QueueName: {}, Tags: {} } }),
    }),
    'cloudformation list-stack-resources': ({ 'stack-name': name = '' }) => ({
      StackResourceSummaries: RESOURCES.map(([ResourceType, LogicalResourceId, PhysicalResourceId]) => ({
        LogicalResourceId,
        PhysicalResourceId,
        ResourceType,
        ResourceStatus: name.startsWith('arn:') ? 'DELETE_SKIPPED' : 'CREATE_COMPLETE',
      })),
    }),
    'cloudformation list-stacks': () => ({
      StackSummaries: [
        {
          StackName: 'Another',
          StackId: arn('cloudformation', 'stack/Another/1'),
          StackStatus: 'DELETE_COMPLETE',
        },
        {
          StackName: STACK,
          StackId: arn('cloudformation', `stack/${STACK}/1`),
          StackStatus: 'DELETE_COMPLETE',
        },
      ],
    }),
    'cloudformation delete-stack': ({ 'stack-name': name = '' }) => {
      state.statuses.delete(name);
      return {};
    },
    'rds-data execute-statement': ({ sql: statement = '' }) => sql(statement),
    'rds describe-db-proxy-targets': () => ({
      Targets: [
        { Type: 'TRACKED_CLUSTER', RdsResourceId: OUTPUTS.ClusterIdentifier, Port: 5432 },
        {
          Type: 'RDS_INSTANCE',
          RdsResourceId: 'writer',
          Port: 5432,
          Role: 'READ_WRITE',
          TargetHealth: state.prepared
            ? { State: 'AVAILABLE' }
            : {
                State: 'UNAVAILABLE',
                Reason: 'AUTH_FAILURE',
                Description: 'Proxy does not have any registered credentials',
              },
        },
      ],
    }),
    'stepfunctions start-execution': ({ 'state-machine-arn': machine = '', input = '' }) => ({
      executionArn: `${machine.replace(':stateMachine:', ':execution:')}:${Buffer.from(input).toString('base64url')}`,
      startDate: '2026-11-29T12:00:00+00:00',
    }),
    'stepfunctions describe-execution': ({ 'execution-arn': executionArn = '' }) => execute(executionArn),
    'stepfunctions list-executions': ({ 'state-machine-arn': machine = '' }) => ({
      executions: [
        { executionArn: `${machine.replace(':stateMachine:', ':execution:')}:1`, status: 'SUCCEEDED' },
      ],
    }),
    'stepfunctions get-execution-history': () => ({
      events: [
        { id: 1, type: 'ExecutionStarted' },
        {
          id: 2,
          type: 'TaskScheduled',
          taskScheduledEventDetails: {
            resourceType: 'lambda',
            resource: 'invoke',
            region: REGION,
            parameters: JSON.stringify({
              FunctionName: arn('lambda', 'function:Maintenance:archive'),
              Payload: {},
            }),
          },
        },
        {
          id: 3,
          type: 'TaskFailed',
          taskFailedEventDetails: {
            resourceType: 'lambda',
            resource: 'invoke',
            error: 'Lambda.ResourceNotReadyException',
            cause: 'The function is inactive',
          },
        },
      ],
    }),
    'lambda get-alias': ({ name }) => ({ Name: name, FunctionVersion: '$LATEST' }),
    'lambda get-function-configuration': ({ 'function-name': name }) => ({
      FunctionName: name,
      State: 'Active',
    }),
    'athena start-query-execution': () => ({ QueryExecutionId: '1' }),
    'athena get-query-execution': () => ({
      QueryExecution: { QueryExecutionId: '1', Status: { State: 'SUCCEEDED' } },
    }),
    'athena get-query-results': () => ({
      ResultSet: {
        Rows: [
          { Data: [{ VarCharValue: '_col0' }] },
          { Data: [{ VarCharValue: `${ROWS - KEPT_ROWS} rows, ${ROWS - KEPT_ROWS} ids` }] },
        ],
      },
    }),
    'sns subscribe': () => ({ SubscriptionArn: arn('sns', `${STACK}-Topic:1`) }),
    'cloudwatch set-alarm-state': ({ 'alarm-name': name = '', 'state-value': to }) => {
      if (to === 'ALARM') state.alarming = name;
      return {};
    },
    'sqs receive-message': () => {
      const Message = JSON.stringify({
        AlarmName: state.alarming,
        NewStateValue: 'ALARM',
        OldStateValue: 'OK',
      });
      return { Messages: [{ MessageId: '1', Body: JSON.stringify({ Type: 'Notification', Message }) }] };
    },
    's3 rm': () => ({}),
    's3api head-bucket': () => ({}),
    'kms describe-key': ({ 'key-id': KeyId }) => ({ KeyMetadata: { KeyId, KeyState: 'Enabled' } }),
    'logs describe-log-groups': () => ({
      logGroups: [
        { logGroupName: '/aws/rds/proxy/partitionarchiver-acceptance-proxy' },
        { logGroupName: '/other' },
      ],
    }),
    'ec2 describe-network-interfaces': () => ({
      NetworkInterfaces: [{ NetworkInterfaceId: 'eni-0a1b2c3d4e5f60718' }],
    }),
    'glue get-database': ({ name }) => ({ Database: { Name: name } }),
    // What is no AWS CLI.
    'cdk deploy': ({ config = '' }) => {
      if (config.endsWith('broken.json')) {
        state.statuses.set(STACK, 'UPDATE_ROLLBACK_COMPLETE');
        return failed(`${STACK} | UPDATE_FAILED | The security group 'sg-00000000000000000' does not exist`);
      }
      state.statuses.set(STACK, state.statuses.has(STACK) ? 'UPDATE_COMPLETE' : 'CREATE_COMPLETE');
      return {};
    },
    'cdk synth': () => ({
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q' } },
        Attachment: { Type: 'Custom::DatabaseRole', Properties: { ServiceToken: 't' } },
        Metadata: { Type: 'AWS::CDK::Metadata', Properties: { Analytics: 'a' } },
      },
    }),
    'git worktree': () => ({}),
    'git rev-parse': (_, [, reference]) => (reference === 'HEAD^{commit}' ? 'b' : 'a').repeat(40),
    'npm ci': () => ({}),
  };
}
