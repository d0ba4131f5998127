import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'app-test-'));
const example = JSON.parse(readFileSync(join(ROOT, 'partition-archiver.example.json'), 'utf8')) as {
  readonly database: object;
  readonly network: object;
};
const inCluster = (identifier: string) => ({
  ...example.database,
  identifier,
  endpoint: `${identifier}.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com`,
});

const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, changes: object): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ ...example, ...changes }));
  return path;
}

/** The app as the CDK's command line starts it, without bundling. */
function app(config: string, more: Readonly<Record<string, string>> = {}) {
  const context = { config, 'aws:cdk:bundling-stacks': [], ...more };
  return runCommand(process.execPath, ['bin/app.ts'], {
    CDK_CONTEXT_JSON: JSON.stringify(context),
    CDK_OUTDIR: join(directory, 'cdk.out'),
  });
}

describe('the CDK app', () => {
  test('makes a stack for each deployment file', async () => {
    const files = [
      file('shop.json', {}),
      file('payroll.json', { stackName: 'PayrollArchiver', database: inCluster('payroll') }),
    ];
    expect(await app(files.join(','))).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(directory, 'cdk.out'))).toEqual(
      expect.arrayContaining(['PartitionArchiver.template.json', 'PayrollArchiver.template.json']),
    );
  });

  // Seen to fail without the look at the context in bin/app.ts: the CDK takes an object only, and made roles without a boundary.
  test('takes a permissions boundary and the qualifier of a bootstrap by -c', async () => {
    const given = {
      '@aws-cdk/core:permissionsBoundary': 'company-boundary',
      '@aws-cdk/core:bootstrapQualifier': 'archiver',
    };
    expect(await app(file('bounded.json', {}), given)).toMatchObject({ code: 0, stderr: '' });
    const template = readFileSync(join(directory, 'cdk.out/PartitionArchiver.template.json'), 'utf8');
    const resources = (
      JSON.parse(template) as { Resources: Record<string, { Type: string; Properties: object }> }
    ).Resources;
    const roles = Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
    expect(roles.length).toBeGreaterThan(10);
    for (const { Properties } of roles) {
      expect(JSON.stringify(Properties)).toContain(':policy/company-boundary');
    }
    expect(template).toContain('/cdk-bootstrap/archiver/version');
  });

  test('refuses two files of the same stack', async () => {
    const files = [file('one.json', {}), file('two.json', { database: inCluster('two') })];
    const { code, stderr } = await app(files.join(','));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `the deployment files ${files.join(' and ')} have the same stackName, PartitionArchiver\n`,
    });
  });

  // Seen to fail without the look at the folders: archives of two clusters lay under one name.
  test('refuses two databases of one name that archive into one bucket', async () => {
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f0e0d0c-1111-2222-3333-444455556666';
    const archive = { bucket: { name: 'company-archive', keyArn } };
    const former = { ...inCluster('store'), name: 'store', formerNames: ['shop'] };
    const files = [
      file('here.json', { archive }),
      file('there.json', { archive, stackName: 'Other', database: former }),
    ];
    expect(await app(files.join(','))).toMatchObject({
      code: 1,
      stderr: `the deployment files ${files.join(' and ')} archive into the same folder, s3://company-archive/shop/\n`,
    });
  });

  // Seen to fail without each: the first of two deployments succeeds, and the second is rolled back.
  test('refuses what AWS takes of one stack only, all at once', async () => {
    const network = { ...example.network, createVpcEndpoints: true };
    const files = [file('first.json', { network }), file('second.json', { stackName: 'Second', network })];
    const { code, stderr } = await app(files.join(','));
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 1,
      lines: [
        expect.stringContaining('both make the VPC endpoints of vpc-0123456789abcdef0: set network.create'),
        expect.stringContaining('both attach roles for aws_s3 to cluster orders, which has one for each'),
      ],
    });
    // A cluster of another account, as far as the files say, and the same one with the roles of the first.
    const roles = { exportRoleArn: role('export'), importRoleArn: role('import') };
    const right = [
      file('first.json', { network }),
      file('there.json', { stackName: 'There', env: undefined, database: { ...inCluster('orders') } }),
      file('second.json', { stackName: 'Second', database: { ...example.database, attachedS3Roles: roles } }),
    ];
    expect(await app(right.join(','))).toMatchObject({ code: 0, stderr: '' });
  });

  test('lists what is wrong with a file in plain lines', async () => {
    const wrong = file('wrong.json', { archive: { accessLogs: 'yes' }, colour: 'red' });
    const { code, stderr } = await app(wrong);
    expect(code).toBe(1);
    expect(stderr).toBe(
      [
        `the deployment file ${wrong} has 2 mistakes:`,
        '  archive.accessLogs: "yes" is not allowed: must be true or false',
        '  colour: "red" is not allowed: there is no such setting',
        '',
      ].join('\n'),
    );
  });

  test('lists what is wrong with several files, all at once', async () => {
    const files = [
      file('a.json', { colour: 'red' }),
      join(directory, 'none.json'),
      file('b.json', { size: 1 }),
    ];
    const { code, stderr } = await app(files.join(','));
    expect(code).toBe(1);
    for (const text of ['a.json has 1 mistake:', 'none.json', 'b.json has 1 mistake:']) {
      expect(stderr).toContain(text);
    }
  });

  test('says which file it looked for', async () => {
    const { code, stderr } = await app(join(directory, 'none.json'));
    expect(code).toBe(1);
    expect(stderr).toContain('cannot read the deployment file');
    expect(stderr).toContain('Copy partition-archiver.example.json to partition-archiver.json');
  });
});
