import type { Account } from '../account.ts';
import { cdk, DEPLOY, deploy, previousFolder } from '../deployment.ts';
import { COUNT_QUARANTINED } from '../rows.ts';
import { must, step, type Step } from '../step.ts';
import { STACK } from '../terms.ts';

const quarantined = async (account: Account): Promise<number> =>
  (await account.sql<{ tables: number }>(COUNT_QUARANTINED))[0]?.tables ?? 0;

const statusOf = async (account: Account): Promise<string> =>
  (await account.stack(STACK))?.StackStatus ?? 'missing';

export const PREVIOUS_VERSION: Step = step(
  'previous-version',
  'the earlier version that is deployed first, installed in a folder of its own',
  async (account) => {
    const { root, previous } = account.place;
    const folder = previousFolder(account);
    // Left by a run that broke off.
    await account.ports.run('git', ['worktree', 'remove', '--force', folder], root);
    await account.program('git', ['worktree', 'add', '--detach', folder, previous], root);
    await account.program('npm', ['ci', '--no-audit', '--no-fund'], folder);
    const commitOf = async (reference: string): Promise<string> =>
      (await account.program('git', ['rev-parse', `${reference}^{commit}`], root)).stdout.trim();
    return { previous: await commitOf(previous), current: await commitOf('HEAD') };
  },
  ({ previous, current }) => {
    must(previous !== current, `--previous is the current version, ${current}`);
    return `${previous.slice(0, 12)}, then ${current.slice(0, 12)}`;
  },
);

export const FIRST_DEPLOYMENT: Step = step(
  'deploy',
  'the first deployment succeeds, with a proxy whose secrets no role has yet',
  async (account) => {
    await deploy(account, previousFolder(account), { deployment: 'previous' });
    return statusOf(account);
  },
  (status) => {
    must(['CREATE_COMPLETE', 'UPDATE_COMPLETE'].includes(status), `the stack is ${status}`);
    return status;
  },
);

export const UPDATE: Step = step(
  'update',
  'an update from the previous version leaves partitions in quarantine as they are',
  async (account) => {
    const before = await quarantined(account);
    await deploy(account, account.place.root, { deployment: 'current' });
    return { before, after: await quarantined(account), status: await statusOf(account) };
  },
  ({ before, after, status }) => {
    must(status === 'UPDATE_COMPLETE', `the stack is ${status}`);
    must(before > 0, 'no partition was in quarantine before the update');
    must(before === after, `${String(before)} partitions were in quarantine, and ${String(after)} are`);
    return `${status}, ${String(after)} partitions in quarantine before and after`;
  },
);

export const ROLLBACK: Step = step(
  'rollback',
  'an update that fails is rolled back, and the archiver works',
  async (account) => {
    const { code } = await cdk(account, account.place.root, DEPLOY, { deployment: 'broken' });
    const status = await statusOf(account);
    return { code, status, run: await account.execute('Archive', { dryRun: true }) };
  },
  ({ code, status, run }) => {
    must(code !== 0, 'the update did not fail: a rule was made in a security group that does not exist');
    must(status === 'UPDATE_ROLLBACK_COMPLETE', `the stack is ${status}`);
    must(run.status === 'SUCCEEDED', `the run afterwards ended as ${run.status} ${run.error ?? ''}`);
    return `${status}, and a dry run succeeded`;
  },
);
