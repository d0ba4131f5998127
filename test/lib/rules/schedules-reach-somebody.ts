import { listOf, ofType, referenceOf, type CloudTemplate, type Rule } from './rule.ts';
import { statementsOf } from './service-access.ts';

interface Target {
  readonly Arn?: unknown;
  readonly RoleArn?: unknown;
  readonly DeadLetterConfig?: { readonly Arn?: unknown };
}

/**
 * Every schedule is enabled, its role may start its target, a start that fails goes to a queue that the same role may
 * write to, and an alarm watches that queue. Without the right on the queue EventBridge Scheduler drops the event
 * silently.
 *
 * Source: "Configuring a dead-letter queue", Amazon EventBridge Scheduler User Guide (the execution role needs
 * `sqs:SendMessage`).
 */
export const schedulesReachSomebody: Rule = {
  name: 'every schedule starts its target, and its failure reaches somebody',
  find: (template) =>
    ofType(template, 'AWS::Scheduler::Schedule').flatMap(([id, { State, Target }]) =>
      brokenSchedule(template, State, (Target ?? {}) as Target).map((reason) => `${id}: ${reason}`),
    ),
  breaks: withRights(['states:StartExecution']),
  keeps: withRights(['states:StartExecution', 'sqs:SendMessage']),
};

function brokenSchedule(template: CloudTemplate, state: unknown, target: Target): string[] {
  const role = referenceOf(target.RoleArn);
  const queue = referenceOf(target.DeadLetterConfig?.Arn);
  return [
    ...(state === 'DISABLED' ? ['it is disabled'] : []),
    ...(mayDo(template, role, 'states:StartExecution', referenceOf(target.Arn))
      ? []
      : ['its role may not start the target']),
    ...(queue === undefined ? ['it has no dead-letter queue'] : []),
    ...(mayDo(template, role, 'sqs:SendMessage', queue) ? [] : ['its role may not write to the queue']),
    ...(isWatched(template, queue) ? [] : ['no alarm watches the queue']),
  ];
}

function mayDo(
  template: CloudTemplate,
  role: string | undefined,
  action: string,
  resource: string | undefined,
): boolean {
  const inline = listOf(role === undefined ? [] : template.Resources[role]?.Properties?.['Policies']);
  const beside = ofType(template, 'AWS::IAM::Policy')
    .filter(([, { Roles }]) => listOf(Roles).some((each) => referenceOf(each) === role))
    .map(([, policy]) => policy);
  return [...inline, ...beside]
    .flatMap((policy) => statementsOf((policy as { PolicyDocument?: unknown }).PolicyDocument))
    .some(
      (statement) =>
        statement.Effect === 'Allow' &&
        listOf(statement.Action).includes(action) &&
        listOf((statement as { Resource?: unknown }).Resource).some((each) => referenceOf(each) === resource),
    );
}

function isWatched(template: CloudTemplate, queue: string | undefined): boolean {
  return ofType(template, 'AWS::CloudWatch::Alarm').some(([, { Dimensions }]) =>
    listOf(Dimensions).some((each) => referenceOf((each as { Value?: unknown }).Value) === queue),
  );
}

function withRights(actions: readonly string[]): CloudTemplate {
  const target = {
    Arn: { Ref: 'Machine' },
    RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
    DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
  };
  const statement = {
    Effect: 'Allow',
    Action: actions,
    Resource: [{ Ref: 'Machine' }, { 'Fn::GetAtt': ['Queue', 'Arn'] }],
  };
  return {
    Resources: {
      Schedule: { Type: 'AWS::Scheduler::Schedule', Properties: { State: 'ENABLED', Target: target } },
      Policy: {
        Type: 'AWS::IAM::Policy',
        Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement: [statement] } },
      },
      Alarm: {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: { Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['Queue', 'QueueName'] } }] },
      },
    },
  };
}
