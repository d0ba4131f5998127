import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

const CLOUDWATCH = 'cloudwatch.amazonaws.com';

/**
 * Makes a topic that alarms can publish to. `enforceSSL` gives the topic a policy, which replaces the default one, and
 * with it the right of the account's alarms to publish: so that right is stated here.
 */
export function makeAlarmTopic(
  scope: Construct,
  id: string,
  { displayName, masterKey }: { readonly displayName: string; readonly masterKey: kms.IKey },
): sns.Topic {
  const topic = new sns.Topic(scope, id, { displayName, enforceSSL: true, masterKey });
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AllowAlarmsOfThisAccount',
      principals: [new iam.ServicePrincipal(CLOUDWATCH)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return topic;
}

/** Makes the key of an alarm topic. CloudWatch could not publish to one that AWS's own key for SNS encrypts. */
export function makeAlarmTopicKey(scope: Construct, id: string): kms.Key {
  const key = new kms.Key(scope, id, {
    description: 'Encrypts alarms of the partition archiver',
    enableKeyRotation: true,
    // Nothing outlives the topic that would have to be decrypted.
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Not `grantEncryptDecrypt`, which also lets it encrypt again under another key.
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AllowAlarms',
      principals: [new iam.ServicePrincipal(CLOUDWATCH)],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
    }),
  );
  return key;
}
