/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument --
   answers are spoiled in their depths, one by one */
/** Ways to spoil the answers of an account, each for the table of assertions.test.ts. */
import type { Answer, Asked, Spoil } from './account-state.ts';

/** Changes the output of the executions of one workflow whose input has this. */
export const output =
  (workflow: string, input: string, change: object): Spoil =>
  (answer: Answer, { 'execution-arn': arn = '' }: Asked) =>
    arn.includes(`-${workflow}:`) &&
    Buffer.from(arn.split(':')[7] ?? '', 'base64url')
      .toString()
      .includes(input) &&
    answer.output !== undefined
      ? { ...answer, output: JSON.stringify({ ...JSON.parse(answer.output), ...change }) }
      : answer;
/** Changes how the executions of one workflow end. */
export const end =
  (workflow: string, input: string, change: object): Spoil =>
  (answer: Answer, { 'execution-arn': arn = '' }: Asked) =>
    arn.includes(`-${workflow}:`) &&
    Buffer.from(arn.split(':')[7] ?? '', 'base64url')
      .toString()
      .includes(input)
      ? { ...answer, ...change }
      : answer;
/** Changes the rows of the statements that have this text. */
export const rows =
  (text: string, ...found: object[]): Spoil =>
  (answer: Answer, { sql = '' }: Asked) =>
    sql.includes(text) ? { formattedRecords: JSON.stringify(found) } : answer;
export const member =
  (change: object): Spoil =>
  (answer: Answer) => ({ ...answer, ...change });
export const statusOf =
  (file: string, status: string): Spoil =>
  (answer: Answer, { 'stack-name': name = '' }: Asked) =>
    name === 'PartitionArchiver-Acceptance' && answer.Stacks?.[0].StackStatus === file
      ? { Stacks: [{ ...answer.Stacks[0], StackStatus: status }] }
      : answer;
export const health = (TargetHealth: object): Spoil =>
  member({ Targets: [{ Type: 'RDS_INSTANCE', TargetHealth }] });

/** A stack that cannot be deleted. */
export function notDeleted(end: string): Spoil {
  const left = { Stacks: [{ StackStatus: 'DELETE_FAILED' }] };
  return (answer: Answer, asked) =>
    asked['stack-name'] === `PartitionArchiver-Acceptance${end}` && 'code' in answer ? left : answer;
}

/** Spoils what is asked for after the first `calls` times. */
export function after(calls: number, spoil: Spoil): Spoil {
  let seen = 0;
  return (answer, asked) => {
    const spoiled = spoil(answer, asked);
    if (spoiled !== answer) seen += 1;
    return seen > calls ? spoiled : answer;
  };
}
