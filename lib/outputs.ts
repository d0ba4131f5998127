import { CfnOutput, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { PartitionArchiver } from './partition-archiver.ts';

/** What operators and other stacks want to know of a deployed archiver. A construct in another stack has none. */
export function addOutputs(archiver: PartitionArchiver): void {
  const { database, databaseS3Roles, operations, setup } = archiver;
  const output = (id: string, description: string, value: string, scope: Construct = archiver) =>
    new CfnOutput(scope, id, { description, value });
  output('StateMachineArn', 'Start executions of this state machine', archiver.stateMachine.stateMachineArn);
  output(
    'RestoreStateMachineArn',
    'Start executions of this state machine to restore archives',
    archiver.restoreStateMachine.stateMachineArn,
  );
  output(
    'DrillStateMachineArn',
    'Start executions of this state machine to try whether an archive can be restored',
    archiver.drillStateMachine.stateMachineArn,
  );
  output(
    'HeartbeatArn',
    'State machine of the workflow Heartbeat',
    archiver.heartbeatStateMachine.stateMachineArn,
  );
  if (archiver.convertStateMachine !== undefined) {
    const { stateMachineArn } = archiver.convertStateMachine;
    output(
      'ConvertStateMachineArn',
      'Start executions of this state machine to make Parquet copies',
      stateMachineArn,
    );
  }
  for (const group of [operations, setup]) {
    for (const [name, { stateMachineArn }] of Object.entries(group.stateMachines)) {
      output(`${name}Arn`, `State machine of the workflow ${name}`, stateMachineArn, group);
    }
  }
  output('AlarmTopicArn', 'Topic that alarms go to', archiver.alarmTopic.topicArn);
  output('BucketName', 'Bucket that the archive is in', archiver.archive.bucket.bucketName);
  output(
    'KeyArn',
    'Key that archives are encrypted with; after a change of the key, for formerKeyArns',
    archiver.archive.encryptionKey.keyArn,
  );
  if (!database.allowIngress) {
    output(
      'IngressRules',
      'Rules that the security groups need: which port of which group admits which group',
      ingressRules(archiver),
    );
  }
  output('ProxyEndpoint', 'Host name that the functions connect to', database.host);
  const { exportRole, importRole } = databaseS3Roles ?? {};
  for (const [direction, role] of Object.entries({ Export: exportRole, Import: importRole })) {
    if (role === undefined) continue;
    const { roleArn } = role;
    output(`${direction}RoleArn`, `Role of the database for its feature s3${direction}`, roleArn);
  }
  for (const role of database.rolesWithSecret) {
    const { secretArn, node } = database.secret(role);
    output(`${node.id}Arn`, `Login of the database role ${role}`, secretArn);
  }
}

/** JSON of the rules that the stack would add to groups that it did not make, each once. */
function ingressRules({ database, functions }: PartitionArchiver): string {
  const all = [...database.ingressRules, ...functions.ingressRules];
  // The group of a proxy that the stack made has its rules.
  const rules = all
    .filter(({ to }) => !(to instanceof ec2.SecurityGroup))
    .map(({ to, port, from }) => ({
      groupId: to.securityGroupId,
      port,
      source: from.securityGroupId,
    }));
  const once = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  return Stack.of(database).toJsonString([...once.values()]);
}
