/* eslint-disable @typescript-eslint/no-unsafe-return -- answers are spoiled in their depths */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { STEPS } from '../../acceptance/steps.ts';
import { parseDeploymentConfig } from '../../core/config/deployment.ts';
import type { CloudTemplate } from '../lib/rules/rule.ts';
import { serviceSpec } from '../lib/rules/service-spec.ts';
import { ENVIRONMENT, perform, ROOT } from './perform.ts';
import type { Answer, Spoil } from './account-state.ts';

test('to its last call, against the answers that AWS documents', async () => {
  const { code, calls, printed, said, files } = await perform('--yes');
  expect({ code, said }).toEqual({ code: 0, said: expect.not.stringContaining('stopped at') });
  const begun = printed.flatMap((line) => /^\[\d+\/\d+\] ([\w-]+):/.exec(line)?.[1] ?? []);
  expect(begun).toEqual(STEPS.map(({ name }) => name));
  expect(calls.at(-1)).toContain('glue get-database');

  const order = [
    /cdk .* deploy .*previous\.json/,
    /start-execution .*-PrepareDatabase/,
    /start-execution .*"archiveOnly":true/,
    /cdk .* deploy .*current\.json/,
    /start-execution .*"only":"drop"/,
    /cdk .* deploy .*broken\.json/,
    /delete-stack --stack-name PartitionArchiver-Acceptance /,
    /delete-stack --stack-name PartitionArchiver-Acceptance-Surroundings/,
  ].map((call) => calls.findIndex((each) => call.test(each)));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order).not.toContain(-1);

  for (const name of ['previous.json', 'current.json', 'broken.json']) {
    const parsed = parseDeploymentConfig(JSON.parse(files.get(name) ?? ''));
    expect(parsed).toMatchObject({ ok: true, config: { tags: { 'partition-archiver-acceptance': 'true' } } });
  }
  expect(calls.find((call) => call.includes('cloudformation deploy'))).toContain(
    '--tags partition-archiver-acceptance=true',
  );
  expect(said).toContain('aws kms schedule-key-deletion --key-id 0f0e0d0c-0b0a-0908-0706-050403020100');
});

test.each<[string, string, Record<string, string>, string]>([
  ['without --yes', '', ENVIRONMENT, 'Run it again with --yes'],
  ['with an option that does not exist', '--yes --tea', ENVIRONMENT, "Unknown option '--tea'"],
  ['in CI', '--yes', { ...ENVIRONMENT, CI: 'true' }, 'not in CI'],
  ['without a Region', '--yes', {}, 'AWS_REGION is not set'],
  ['with one zone', '--yes --zones eu-central-1a', ENVIRONMENT, '--zones takes two availability zones'],
  ['for a step that is none', '--yes --only tea', ENVIRONMENT, '--only and --from take one of: bootstrap'],
])('%s nothing is done', async (_, args, environment, why) => {
  const { code, calls, said } = await perform(args, {}, environment);
  expect(code).toBe(2);
  expect(said).toContain(why);
  expect(calls.filter((call) => !call.includes('get-caller-identity'))).toEqual([]);
});

// Seen to fail with the parameters given each time: the default version of the engine changes between two runs.
test('zones and version are those of the first run, and the zones may be chosen', async () => {
  const deployed = async (options: string, spoils: Readonly<Record<string, Spoil>> = {}): Promise<string> => {
    const { calls } = await perform(`--yes --only surroundings ${options}`, spoils);
    return calls.find((call) => call.includes('cloudformation deploy')) ?? '';
  };
  expect(await deployed('')).toContain('EngineVersion=17.5 ZoneA=eu-central-1a ZoneB=eu-central-1b');
  expect(await deployed('--zones eu-central-1b,eu-central-1c')).toContain(
    'ZoneA=eu-central-1b ZoneB=eu-central-1c',
  );
  const isThere =
    (StackStatus: string): Spoil =>
    (answer: Answer) =>
      answer.Stacks === undefined ? { Stacks: [{ StackStatus }] } : answer;
  expect(await deployed('', { 'cloudformation describe-stacks': isThere('CREATE_COMPLETE') })).not.toContain(
    'EngineVersion',
  );
  // Seen to fail where such a stack counted as that of an earlier run: CloudFormation misses the parameters, in each run.
  expect(await deployed('', { 'cloudformation describe-stacks': isThere('REVIEW_IN_PROGRESS') })).toContain(
    'EngineVersion=17.5 ZoneA=eu-central-1a',
  );
});

test('without a login it says what the AWS CLI said', async () => {
  const stderr = 'Unable to locate credentials. You can configure credentials by running "aws configure".';
  const refused = await perform('--yes', {
    'sts get-caller-identity': () => ({ code: 253, stdout: '', stderr }),
  });
  expect(refused).toMatchObject({ code: 2, said: expect.stringContaining(stderr) });
});

test('account, Region, cost and time are named before anything is asked', async () => {
  const { said } = await perform('');
  expect(said).toMatch(/^Account 111122223333, Region eu-central-1\./);
  expect(said).toMatch(/Cost.*US dollar[\s\S]*Time/);
});

test('where it stops, it says what exists and how to continue', async () => {
  const { code, said } = await perform('--yes', {
    'npm ci': () => ({ code: 1, stdout: '', stderr: 'npm error code ENOTFOUND' }),
  });
  expect(code).toBe(1);
  expect(said).toContain(
    'stopped at previous-version: npm ci --no-audit --no-fund: npm error code ENOTFOUND',
  );
  expect(said).toContain('PartitionArchiver-Acceptance: does not exist');
  expect(said).toContain('PartitionArchiver-Acceptance-Surroundings: CREATE_COMPLETE');
  expect(said).toContain('not done: deploy, refused-secrets');
  expect(said).toContain('--yes --from previous-version');
  expect(said).toContain('--yes --destroy');
});

test.each([
  ['--yes --destroy', ['destroy', 'left']],
  ['--yes --from rollback --keep', ['rollback', 'asleep']],
  ['--yes --only left', ['left']],
])('%s does just these steps', async (args, names) => {
  const { said } = await perform(args);
  const begun = [...said.matchAll(/^\[\d+\/\d+\] ([\w-]+):/gm)].map(([, name]) => name);
  // In an account without a stack, rollback stops.
  const notDone = /^not done: (.*)$/m.exec(said)?.[1]?.split(', ') ?? [];
  expect([...begun, ...notDone]).toEqual(names);
});

test('what a broken run left is removed, and where there is nothing, nothing is asked for', async () => {
  const { code, calls, said } = await perform('--yes --destroy');
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('both stacks are gone') });
  expect(calls.filter((call) => call.includes('delete-stack'))).toEqual([]);
});

test('a function that slept tells the name of its refusal', async () => {
  const { code, said } = await perform('--yes', {
    'lambda get-function-configuration': (answer: Answer) => ({ ...answer, State: 'Inactive' }),
  });
  expect({ code, said }).toEqual({
    code: 0,
    said: expect.stringContaining('1 slept; refused as Lambda.ResourceNotReadyException; the run succeeded'),
  });
});

test('a run that fails although functions are woken up stops there', async () => {
  // Alone, in a database that nobody prepared.
  const { code, said } = await perform('--yes --only asleep', {
    'lambda get-function-configuration': (answer: Answer) => ({ ...answer, State: 'Inactive' }),
  });
  expect({ code, said }).toEqual({
    code: 1,
    said: expect.stringContaining(
      'stopped at asleep: the run ended as FAILED, after Lambda.ResourceNotReady',
    ),
  });
});

test('where everything was removed by hand, nothing is left', async () => {
  const missing = (stderr: string) => () => ({ code: 254, stdout: '', stderr });
  const { code, said } = await perform('--yes --only left', {
    's3api head-bucket': missing('An error occurred (404) when calling the HeadBucket operation: Not Found'),
    'kms describe-key': missing('An error occurred (NotFoundException) when calling DescribeKey'),
    'glue get-database': missing('An error occurred (EntityNotFoundException) when calling GetDatabase'),
    'logs describe-log-groups': () => ({ logGroups: [] }),
    'ec2 describe-network-interfaces': () => ({ NetworkInterfaces: [] }),
  });
  expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/^ +nothing \(/m) });
});

test('the page tells every step', () => {
  const page = readFileSync(join(ROOT, 'docs/acceptance.md'), 'utf8');
  expect(STEPS.map(({ name }) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('CloudFormation knows every property of the surroundings', () => {
  const template = JSON.parse(
    readFileSync(join(ROOT, 'acceptance/surroundings.json'), 'utf8'),
  ) as CloudTemplate;
  expect(serviceSpec.find(template)).toEqual([]);
});
