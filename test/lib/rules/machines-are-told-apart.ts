import { referenceOf, type CloudTemplate, type Rule } from './rule.ts';
import { workflowsOf } from './state-machines.ts';

/**
 * Every workflow has a name that begins with the stack's or the archiver's, and an output. CloudFormation names a state
 * machine by its logical id, without the stack's name: with ten databases the console lists ten of each.
 *
 * Source: "AWS::StepFunctions::StateMachine", AWS CloudFormation reference (StateMachineName, 1 to 80 characters).
 */
export const machinesAreToldApart: Rule = {
  name: 'every state machine carries the name of its stack, and stands in the outputs',
  find: (template) =>
    workflowsOf(template).flatMap(([id, { StateMachineName }]) => [
      ...(typeof StateMachineName === 'string' && /^[A-Za-z][\w-]{0,79}$/.test(StateMachineName)
        ? []
        : [`${id} has no name of its own`]),
      ...(isOutput(template, id) ? [] : [`${id} is in no output`]),
    ]),
  breaks: withProperties({}),
  keeps: withProperties({ StateMachineName: 'OrdersArchiver-UpgradeLedger' }),
};

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
    },
    Outputs: { UpgradeLedgerArn: { Value: { Ref: 'Machine' } } },
  };
}
