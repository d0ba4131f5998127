import type { CloudTemplate, Rule } from './rule.ts';
import { statesOf, workflowsOf, type Retrier } from './state-machines.ts';

/** What network interfaces have been seen to take, with some to spare. */
const LEAST_SECONDS = 240;

/**
 * Every task of a workflow waits minutes for a function that sleeps, under whatever name that is reported: its last
 * retrier is for `States.TaskFailed`, evenly spaced.
 *
 * Sources: "Lambda function states", AWS Lambda Developer Guide (an idle function in a VPC becomes Inactive; the
 * invocation that wakes it up fails, and it stays Pending until its network interfaces exist); aws/aws-cdk issues 20123
 * and 22612 (the same in the CDK's own framework).
 */
export const tasksWaitForSleepers: Rule = {
  name: 'every task waits for a function that sleeps',
  find: (template) =>
    workflowsOf(template).flatMap(([id, machine]) =>
      statesOf(machine)
        .filter(([, { Type, Retry }]) => Type === 'Task' && !isPatient(Retry?.at(-1)))
        .map(([state]) => `${state} of ${id} gives a sleeping function up`),
    ),
  breaks: withRetry([{ ErrorEquals: ['Lambda.ServiceException'], IntervalSeconds: 2, MaxAttempts: 6 }]),
  keeps: withRetry([
    { ErrorEquals: ['Lambda.ServiceException'], IntervalSeconds: 2, MaxAttempts: 6 },
    {
      ErrorEquals: ['States.TaskFailed'],
      IntervalSeconds: 15,
      MaxAttempts: 20,
      JitterStrategy: 'NONE',
    },
  ]),
};

function isPatient(retrier: Retrier | undefined): boolean {
  const { ErrorEquals = [], IntervalSeconds = 1, MaxAttempts = 3, JitterStrategy = 'NONE' } = retrier ?? {};
  return (
    ErrorEquals.includes('States.TaskFailed') &&
    JitterStrategy === 'NONE' &&
    IntervalSeconds * MaxAttempts >= LEAST_SECONDS
  );
}

function withRetry(Retry: readonly Retrier[]): CloudTemplate {
  return {
    Resources: {
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Metadata: { 'partition-archiver:workflow': 'archive' },
        Properties: { DefinitionString: JSON.stringify({ States: { Work: { Type: 'Task', Retry } } }) },
      },
    },
  };
}
