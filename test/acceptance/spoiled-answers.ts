/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call --
   answers are spoiled in their depths, one by one */
import type { Answer, Spoil } from './account-state.ts';
import { after, end, health, member, notDeleted, output, rows, statusOf } from './spoils.ts';

const EXECUTION = 'stepfunctions describe-execution';
const STACKS = 'cloudformation describe-stacks';
const SQL = 'rds-data execute-statement';
const refused = { code: 255, stdout: '', stderr: 'refused' };
const quarantine = 'partition_archiver_quarantine';
const archived = '"archiveOnly":true';

/** For each assertion of each step an answer that fails it: the step, the command, how its answer is spoiled, what is said. */
export const SPOILED: readonly (readonly [step: string, command: string, spoil: Spoil, said: string])[] = [
  ['bootstrap', 'ssm get-parameter', member({ Parameter: { Value: '5' } }), 'run cdk bootstrap'],
  ['bootstrap', 'ssm get-parameter', () => refused, 'refused'],
  [
    'engine',
    'rds describe-db-engine-versions',
    member({ DBEngineVersions: [] }),
    'has not the feature s3Export',
  ],
  [
    'engine',
    'rds describe-db-engine-versions',
    member({ DBEngineVersions: [{ EngineVersion: '17.5', SupportedFeatureNames: ['s3Export'] }] }),
    'has not the feature s3Import',
  ],
  [
    'engine',
    'rds describe-orderable-db-instance-options',
    member({ OrderableDBInstanceOptions: [{ AvailabilityZones: [{ Name: 'eu-central-1a' }] }] }),
    'db.serverless of version 17.5 is in eu-central-1a, not in two',
  ],
  ['surroundings', 'cloudformation deploy', () => refused, 'refused'],
  ['surroundings', SQL, rows('server_version'), 'the Data API returned no row'],
  [
    'surroundings',
    STACKS,
    (answer: Answer) =>
      answer.Stacks === undefined
        ? answer
        : { Stacks: answer.Stacks.map((each: object) => ({ ...each, Outputs: [] })) },
    'has no output ClusterArn',
  ],
  ['properties', 'cdk synth', () => refused, 'cdk synth: refused'],
  [
    'properties',
    'cloudformation describe-type',
    member({ Schema: JSON.stringify({ properties: { Tags: {} } }) }),
    'this Region does not know AWS::SQS::Queue.QueueName',
  ],
  ['previous-version', 'git rev-parse', () => 'c'.repeat(40), '--previous is the current version'],
  ['deploy', 'cdk deploy', () => refused, 'cdk deploy: refused'],
  ['deploy', STACKS, statusOf('CREATE_COMPLETE', 'ROLLBACK_COMPLETE'), 'the stack is ROLLBACK_COMPLETE'],
  [
    'refused-secrets',
    'rds describe-db-proxy-targets',
    health({ State: 'UNAVAILABLE', Reason: 'UNREACHABLE' }),
    'the target is UNAVAILABLE, UNREACHABLE',
  ],
  [
    'refused-secrets',
    'rds describe-db-proxy-targets',
    health({ State: 'REGISTERING' }),
    'a healthy target of the proxy is not there after 15 minutes',
  ],
  [
    'refused-secrets',
    'cloudformation list-stack-resources',
    member({ StackResourceSummaries: [] }),
    'the stack has 0 resources AWS::RDS::DBProxy',
  ],
  [
    'not-prepared',
    EXECUTION,
    end('Archive', '{}', { error: 'DatabaseUnavailable' }),
    'FAILED, DatabaseUnavailable',
  ],
  ['not-prepared', EXECUTION, end('Archive', '{}', { status: 'SUCCEEDED' }), 'ended as SUCCEEDED'],
  ['rows', SQL, rows('as rows from shop.orders', { rows: 39_999 }), '39999 rows, not 40000'],
  [
    'prepare',
    EXECUTION,
    end('PrepareDatabase', '', { status: 'FAILED', error: 'PreflightFailed', cause: 'still missing' }),
    'the execution ended as FAILED: PreflightFailed: still missing',
  ],
  [
    'healthy-target',
    'rds describe-db-proxy-targets',
    health({ State: 'UNAVAILABLE', Reason: 'AUTH_FAILURE' }),
    'a healthy target of the proxy is not there after 15 minutes',
  ],
  ['archive', EXECUTION, output('Archive', archived, { archived: 4 }), '4 archived, 0 failed'],
  ['archive', EXECUTION, output('Archive', archived, { failed: 1 }), '5 archived, 1 failed'],
  ['archive', EXECUTION, output('Archive', archived, { dropped: 1 }), '1 dropped'],
  [
    'archive',
    EXECUTION,
    output('Archive', archived, { partitions: [{ state: 'blocked' }] }),
    'a partition is not verified',
  ],
  ['archive', SQL, rows(quarantine, { tables: 3 }), '3 tables are in quarantine, not 5'],
  ['aliases', 'lambda get-alias', member({ FunctionVersion: '1' }), 'versions 1'],
  ['aliases', 'stepfunctions get-execution-history', member({ events: [] }), 'no function by an alias'],
  [
    'update',
    'cdk deploy',
    (answer: Answer, { config = '' }) => (config.includes('current') ? refused : answer),
    'cdk deploy: refused',
  ],
  ['update', STACKS, statusOf('UPDATE_COMPLETE', 'UPDATE_FAILED'), 'the stack is UPDATE_FAILED'],
  [
    'update',
    SQL,
    after(1, rows(quarantine, { tables: 0 })),
    'no partition was in quarantine before the update',
  ],
  ['update', SQL, after(2, rows(quarantine, { tables: 4 })), '5 partitions were in quarantine, and 4 are'],
  [
    'prepare-again',
    EXECUTION,
    after(1, end('PrepareDatabase', '', { status: 'TIMED_OUT' })),
    'the execution ended as TIMED_OUT',
  ],
  ['drop', EXECUTION, output('Archive', 'drop', { dropped: 0 }), '0 dropped, 0 failed'],
  ['drop', EXECUTION, output('Archive', 'drop', { failed: 2 }), '5 dropped, 2 failed'],
  ['drop', EXECUTION, output('Archive', 'drop', { partitions: [] }), '15000 rows are left and 0 archived'],
  ['drop', SQL, after(3, rows(quarantine, { tables: 1 })), '1 tables are in quarantine'],
  ['copies', EXECUTION, output('Convert', '', { converted: 1 }), 'converted'],
  ['copies', EXECUTION, output('Convert', '', { listed: 1 }), 'converted'],
  [
    'copies',
    'athena get-query-execution',
    member({ QueryExecution: { Status: { State: 'FAILED', StateChangeReason: 'VIEW_IS_INVALID' } } }),
    'Athena: FAILED VIEW_IS_INVALID',
  ],
  [
    'copies',
    'athena get-query-results',
    member({ ResultSet: { Rows: [{ Data: [] }, { Data: [{ VarCharValue: '50000 rows, 25000 ids' }] }] } }),
    'Athena finds 50000 rows, 25000 ids, and 25000 are archived',
  ],
  ['restore', EXECUTION, output('Find', '', { archives: [] }), 'Find found no archive'],
  ['restore', EXECUTION, output('Restore', '', { restored: 0 }), '0 restored'],
  ['restore', EXECUTION, output('Restore', '', { incomplete: 1 }), '1 incomplete'],
  ['restore', SQL, rows('as differences', { rows: 0, differences: 0 }), 'has no rows'],
  ['restore', SQL, rows('as differences', { rows: 9, differences: 2 }), 'differs in 2 rows'],
  ['alarm', 'sqs receive-message', () => ({}), 'is in ALARM is not there after 5 minutes'],
  [
    'alarm',
    'cloudformation list-stack-resources',
    (answer: Answer) => ({
      StackResourceSummaries: answer.StackResourceSummaries.filter(
        ({ ResourceType }: { ResourceType: string }) => ResourceType !== 'AWS::SNS::Topic',
      ),
    }),
    'the stack has 0 resources AWS::SNS::Topic',
  ],
  [
    'rollback',
    'cdk deploy',
    (answer: Answer, { config = '' }) => (config.includes('broken') ? {} : answer),
    'the update did not fail',
  ],
  [
    'rollback',
    STACKS,
    statusOf('UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED'),
    'the stack is UPDATE_ROLLBACK_FAILED',
  ],
  ['rollback', EXECUTION, end('Archive', 'dryRun', { status: 'FAILED', error: 'X' }), 'ended as FAILED X'],
  ['asleep', 'lambda get-function-configuration', () => refused, 'refused'],
  ['destroy', 'cloudformation delete-stack', () => refused, 'refused'],
  ['destroy', STACKS, notDeleted(''), 'PartitionArchiver-Acceptance is DELETE_FAILED'],
  ['destroy', STACKS, notDeleted('-Surroundings'), 'Surroundings is DELETE_FAILED'],
  ['left', 'kms describe-key', () => refused, 'refused'],
  ['left', 's3api head-bucket', () => refused, 'refused'],
  ['left', 'glue get-database', () => refused, 'refused'],
];
