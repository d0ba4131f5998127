import type { Account, StackResource } from '../account.ts';
import { previousFolder } from '../deployment.ts';
import { must, step, type Step } from '../step.ts';
import { GLUE_DATABASE, STACK, SURROUNDINGS } from '../terms.ts';

/** Lambda keeps network interfaces for 20 to 40 minutes, and the stack waits for them. */
const MINUTES_TO_DELETE = 90;

/** Deletes a stack and waits for it. Returns its last status, or that it is gone. */
async function deleteStack(account: Account, name: string): Promise<string> {
  if ((await account.stack(name)) === undefined) return 'gone';
  await account.cli('cloudformation delete-stack', { 'stack-name': name });
  return account.until(`the end of ${name}`, MINUTES_TO_DELETE, async () => {
    const status = (await account.stack(name))?.StackStatus ?? 'gone';
    return ['gone', 'DELETE_FAILED'].includes(status) ? status : undefined;
  });
}

const wasDeleted = (name: string, status: string): void => {
  must(
    status === 'gone',
    `${name} is ${status}: aws cloudformation describe-stack-events --stack-name ${name}`,
  );
};

export const DESTROY: Step = step(
  'destroy',
  'both stacks are deleted, as cdk destroy does',
  async (account) => {
    const archiver = await deleteStack(account, STACK);
    wasDeleted(STACK, archiver);
    const results = (await account.stack(SURROUNDINGS))?.Outputs?.find(
      ({ OutputKey }) => OutputKey === 'ResultsBucket',
    );
    if (results !== undefined) {
      await account.cli(`s3 rm s3://${results.OutputValue}`, { recursive: true });
    }
    await account.ports.run(
      'git',
      ['worktree', 'remove', '--force', previousFolder(account)],
      account.place.root,
    );
    return deleteStack(account, SURROUNDINGS);
  },
  (status) => {
    wasDeleted(SURROUNDINGS, status);
    return 'both stacks are gone';
  },
);

/** Something that is left, with the commands that remove it. */
interface Left {
  readonly what: string;
  readonly commands: readonly string[];
}

/** What CloudFormation skipped when it deleted stacks of this name, in the last 90 days. */
async function skipped(account: Account): Promise<readonly StackResource[]> {
  const { StackSummaries } = await account.aws<{
    StackSummaries: readonly { StackName: string; StackId: string }[];
  }>('cloudformation list-stacks', { 'stack-status-filter': 'DELETE_COMPLETE' });
  const found: StackResource[] = [];
  for (const { StackName, StackId } of StackSummaries) {
    if (StackName !== STACK) continue;
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key']) {
      const kept = await account.resources(type, StackId);
      found.push(...kept.filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_SKIPPED'));
    }
  }
  return found;
}

async function leftByStacks(account: Account): Promise<Left[]> {
  const left: Left[] = [];
  for (const { ResourceType, PhysicalResourceId: id = '' } of await skipped(account)) {
    const isBucket = ResourceType === 'AWS::S3::Bucket';
    if (isBucket && (await account.find('s3api head-bucket', { bucket: id }, '404')) !== undefined) {
      left.push({
        what: `bucket ${id}, with the archives; its policy denies deletion to everybody`,
        commands: [
          `aws s3api delete-bucket-policy --bucket ${id}`,
          `aws s3api list-object-versions --bucket ${id} --max-items 500 --query '{Objects: [Versions, DeleteMarkers][] | [].{Key: Key, VersionId: VersionId}}' > versions.json`,
          `aws s3api delete-objects --bucket ${id} --delete file://versions.json   # both again until nothing is listed`,
          `aws s3api delete-bucket --bucket ${id}`,
        ],
      });
    }
    if (isBucket) continue;
    const key = await account.find<{ KeyMetadata: { KeyState: string } }>(
      'kms describe-key',
      { 'key-id': id },
      'NotFoundException',
    );
    if (key !== undefined && key.KeyMetadata.KeyState !== 'PendingDeletion') {
      left.push({
        what: `key ${id}, by which alone the archives can be read`,
        commands: [`aws kms schedule-key-deletion --key-id ${id} --pending-window-in-days 7`],
      });
    }
  }
  return left;
}

async function leftByServices(account: Account): Promise<Left[]> {
  const left: Left[] = [];
  const { logGroups } = await account.aws<{ logGroups: readonly { logGroupName: string }[] }>(
    'logs describe-log-groups',
  );
  for (const { logGroupName: name } of logGroups) {
    if (!name.toLowerCase().includes(STACK.toLowerCase())) continue;
    left.push({
      what: `log group ${name}`,
      commands: [`aws logs delete-log-group --log-group-name ${name}`],
    });
  }
  const { NetworkInterfaces } = await account.aws<{
    NetworkInterfaces: readonly { NetworkInterfaceId: string }[];
  }>('ec2 describe-network-interfaces', {
    filters: JSON.stringify([{ Name: 'description', Values: [`AWS Lambda VPC ENI-${STACK}*`] }]),
  });
  for (const { NetworkInterfaceId: id } of NetworkInterfaces) {
    const commands = [`aws ec2 delete-network-interface --network-interface-id ${id}`];
    left.push({ what: `network interface ${id}, which Lambda has not released yet`, commands });
  }
  const inGlue = await account.find('glue get-database', { name: GLUE_DATABASE }, 'EntityNotFoundException');
  if (inGlue !== undefined) {
    const commands = [`aws glue delete-database --name ${GLUE_DATABASE}`];
    left.push({ what: `Glue database ${GLUE_DATABASE}, which Convert made`, commands });
  }
  return left;
}

export const LEFT: Step = step(
  'left',
  'what is kept on purpose or was left, and how it is removed',
  async (account) => [...(await leftByStacks(account)), ...(await leftByServices(account))],
  (left) =>
    left.length === 0
      ? 'nothing'
      : left.flatMap(({ what, commands }) => [what, ...commands.map((each) => `    ${each}`)]).join('\n'),
);
