import { isServiceAllowed, policiesOf, statementsOf } from './service-access.ts';
import { listOf, ofType, referenceOf, textOf, type CloudTemplate, type Rule } from './rule.ts';

const CLOUDWATCH = 'cloudwatch.amazonaws.com';

/**
 * Walks the path of every alarm: it has an action; the policy of its topic lets CloudWatch publish; so does the policy
 * of the topic's key; and somebody is subscribed, or can find the topic in the outputs. A topic that is given by its ARN
 * has an owner who maintains its policy, so the template must leave that policy alone: an `AWS::SNS::TopicPolicy`
 * replaces the whole policy of the topic. An alarm that a composite one looks at needs no action of its own.
 *
 * Sources: "Why didn't I receive an SNS notification for my CloudWatch alarm trigger?", AWS re:Post knowledge center
 * (the policy of the topic, and that of a customer managed key); aws-solutions/automated-security-response issue 43 and
 * DataBiosphere/azul issue 5651 (a topic policy without an Allow delivers nothing).
 */
export const alarmsReachSomebody: Rule = {
  name: 'every alarm reaches somebody',
  find: (template) =>
    [
      ...ofType(template, 'AWS::CloudWatch::Alarm'),
      ...ofType(template, 'AWS::CloudWatch::CompositeAlarm'),
    ].flatMap(([id, { AlarmActions }]) => {
      const actions = listOf(AlarmActions);
      if (actions.length === 0) return isPart(template, id) ? [] : [`${id} has no action`];
      return actions.flatMap((action) => brokenPath(template, action).map((reason) => `${id}: ${reason}`));
    }),
  breaks: withTopicPolicy([
    {
      Effect: 'Deny',
      Principal: '*',
      Action: 'sns:Publish',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ]),
  keeps: withTopicPolicy([
    {
      Effect: 'Allow',
      Principal: { Service: CLOUDWATCH },
      Action: 'sns:Publish',
      Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
    },
  ]),
};

/** Whether a composite alarm looks at the state of this one. */
function isPart(template: CloudTemplate, id: string): boolean {
  return ofType(template, 'AWS::CloudWatch::CompositeAlarm').some(([, { AlarmRule }]) =>
    textOf(AlarmRule).includes(`{${id}.Arn}`),
  );
}

/** What stops a notification on its way from CloudWatch to a person. */
function brokenPath(template: CloudTemplate, topic: unknown): string[] {
  const id = referenceOf(topic);
  if (id === undefined) return givenTopic(template, topic);
  const found = template.Resources[id];
  if (found?.Type !== 'AWS::SNS::Topic') return [`${id} is no topic`];
  const policies = policiesOf(template, 'AWS::SNS::TopicPolicy', 'Topics', id);
  // Without any policy of its own a topic has the default one, which lets the services of its owner publish.
  const mayPublish = policies.length === 0 || isServiceAllowed(policies, CLOUDWATCH, 'sns:Publish');
  return [
    ...(mayPublish ? [] : [`the policy of ${id} does not let CloudWatch publish`]),
    ...brokenKey(template, found.Properties?.['KmsMasterKeyId']),
    ...(isHeard(template, id) ? [] : [`nobody is subscribed to ${id}, and no output names it`]),
  ];
}

function givenTopic(template: CloudTemplate, topic: unknown): string[] {
  const replaced = ofType(template, 'AWS::SNS::TopicPolicy').some(([, { Topics }]) =>
    listOf(Topics).some((each) => JSON.stringify(each) === JSON.stringify(topic)),
  );
  return replaced ? [`the policy of the given topic ${String(topic)} is replaced`] : [];
}

function brokenKey(template: CloudTemplate, key: unknown): string[] {
  if (key === undefined) return [];
  const id = referenceOf(key);
  // The key that AWS manages for SNS cannot be used by CloudWatch; one that is given is its owner's.
  if (id === undefined) return textOf(key).includes('alias/aws/sns') ? ['alias/aws/sns is closed'] : [];
  const policy = statementsOf(template.Resources[id]?.Properties?.['KeyPolicy']);
  return ['kms:Decrypt', 'kms:GenerateDataKey']
    .filter((action) => !isServiceAllowed(policy, CLOUDWATCH, action))
    .map((action) => `the policy of ${id} does not let CloudWatch ${action}`);
}

function isHeard(template: CloudTemplate, topic: string): boolean {
  const isSubscribed = ofType(template, 'AWS::SNS::Subscription').some(
    ([, { TopicArn }]) => referenceOf(TopicArn) === topic,
  );
  return (
    isSubscribed || Object.values(template.Outputs ?? {}).some(({ Value }) => referenceOf(Value) === topic)
  );
}

function withTopicPolicy(Statement: readonly object[]): CloudTemplate {
  const allowed = { Principal: { Service: CLOUDWATCH }, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] };
  return {
    Resources: {
      Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmActions: [{ Ref: 'Topic' }] } },
      Topic: {
        Type: 'AWS::SNS::Topic',
        Properties: { KmsMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } },
      },
      Key: {
        Type: 'AWS::KMS::Key',
        Properties: { KeyPolicy: { Statement: [{ Effect: 'Allow', ...allowed }] } },
      },
      Policy: {
        Type: 'AWS::SNS::TopicPolicy',
        Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: { Statement } },
      },
      Subscription: { Type: 'AWS::SNS::Subscription', Properties: { TopicArn: { Ref: 'Topic' } } },
    },
  };
}
