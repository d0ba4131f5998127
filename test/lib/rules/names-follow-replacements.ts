import { createHash } from 'node:crypto';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import { listOf, textOf, type CloudTemplate, type Rule } from './rule.ts';

/** The property by which a template names a resource itself. */
export const NAMES: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::CompositeAlarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::EC2::SecurityGroup': 'GroupName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::RDS::DBProxy': 'DBProxyName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
};

/** Properties that no setting changes. */
const CONSTANT: readonly string[] = ['EngineFamily', 'StateMachineType'];

const types = new Map(
  loadAwsServiceSpecSync()
    .all('resource')
    .map((type) => [type.cloudFormationType, type.properties]),
);

/**
 * A resource that the template names itself has no property whose change replaces it, or its name has a hash of that
 * property: CloudFormation makes the new resource before it deletes the old one, and refuses the same name.
 *
 * Source: "Name type", AWS CloudFormation User Guide ("you can't perform updates that require replacement of this
 * resource"); `causesReplacement` of `@aws-cdk/aws-service-spec`. Seen to fail without the hash in `lib/database/access.ts`.
 */
export const namesFollowReplacements: Rule = {
  name: 'no resource with a name of its own is to be replaced under the same name',
  find: ({ Resources }) =>
    Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
      const name = NAMES[Type] ?? '';
      const given = Properties[name];
      if (given === undefined) return [];
      return Object.entries(Properties)
        .filter(([property]) => property !== name && !CONSTANT.includes(property))
        .filter(([property]) => types.get(Type)?.[property]?.causesReplacement === 'yes')
        .filter(([, value]) => !textOf(given).endsWith(`-${hashOf(value)}`))
        .map(([property]) => `${id}: another ${property} replaces it, and its name stays ${textOf(given)}`);
    }),
  breaks: withName('archiver-proxy'),
  keeps: withName(`archiver-proxy-${hashOf(['subnet-1', 'subnet-2'])}`),
};

function hashOf(value: unknown): string {
  const text = listOf(value).map(textOf).join(' ');
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function withName(DBProxyName: string): CloudTemplate {
  const Properties = { DBProxyName, EngineFamily: 'POSTGRESQL', VpcSubnetIds: ['subnet-1', 'subnet-2'] };
  return { Resources: { Proxy: { Type: 'AWS::RDS::DBProxy', Properties } } };
}
