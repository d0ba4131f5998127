import { ofType, referenceOf, type CloudTemplate, type Rule } from './rule.ts';
import { workflowsOf } from './state-machines.ts';

/**
 * Every workflow, and the dashboard, has a name that begins with the stack's, and every workflow an output. CloudFormation
 * names a state machine by its logical id, without the stack's name: with ten databases the console lists ten of each.
 * Functions it names by the stack, unless the template does.
 *
 * Source: "AWS::StepFunctions::StateMachine", AWS CloudFormation reference (StateMachineName, 1 to 80 characters).
 */
export const machinesAreToldApart: Rule = {
  name: 'every state machine carries the name of its stack, and stands in the outputs',
  find: (template) => [
    ...workflowsOf(template).flatMap(([id, { StateMachineName }]) => [
      ...unlessNamed(template, id, StateMachineName),
      ...(isOutput(template, id) ? [] : [`${id} is in no output`]),
    ]),
    ...ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(([id, { DashboardName }]) =>
      unlessNamed(template, id, DashboardName),
    ),
    ...ofType(template, 'AWS::Lambda::Function').flatMap(([id, { FunctionName }]) =>
      FunctionName === undefined ? [] : unlessNamed(template, id, FunctionName),
    ),
  ],
  breaks: withProperties({}),
  alsoBreak: [withProperties({ StateMachineName: 'UpgradeLedger' })],
  keeps: withProperties({ StateMachineName: 'OrdersArchiver-UpgradeLedger' }),
};

function unlessNamed(template: CloudTemplate, id: string, name: unknown): string[] {
  const stack = stackOf(template);
  return stack !== undefined && typeof name === 'string' && name.startsWith(`${stack}-`)
    ? []
    : [`${id} is not named after the stack ${String(stack)}: ${String(name)}`];
}

/** Functions are told the path of their archiver, whose first part is the stack. */
function stackOf(template: CloudTemplate): string | undefined {
  return ofType(template, 'AWS::Lambda::Function')
    .map(
      ([, { Environment }]) => (Environment as { Variables?: { ARCHIVER?: string } } | undefined)?.Variables,
    )
    .find((variables) => variables?.ARCHIVER !== undefined)
    ?.ARCHIVER?.split('/')[0];
}

function isOutput({ Outputs = {} }: CloudTemplate, id: string): boolean {
  return Object.values(Outputs).some(({ Value }) => referenceOf(Value) === id);
}

function withProperties(Properties: Readonly<Record<string, unknown>>): CloudTemplate {
  return {
    Resources: {
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Metadata: { 'partition-archiver:workflow': 'upgrade-ledger' },
        Properties,
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: { Environment: { Variables: { ARCHIVER: 'OrdersArchiver/Archiver' } } },
      },
    },
    Outputs: { UpgradeLedgerArn: { Value: { Ref: 'Machine' } } },
  };
}
