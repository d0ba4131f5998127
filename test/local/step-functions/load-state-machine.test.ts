import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadStateMachine } from '../../../local/step-functions/load-state-machine.ts';
import { runExecution } from '../../../local/step-functions/run-execution.ts';

const HERE = { region: 'eu-central-1', bucketName: 'archive', databaseHost: 'localhost' };
const folder = mkdtempSync(join(tmpdir(), 'cloud-assembly-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const MARK = { 'partition-archiver:workflow': 'archive' };

const WORKER = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'assets', S3Key: 'abc.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Timeout: 20,
    MemorySize: 256,
    Environment: {
      Variables: {
        HOST: { 'Fn::GetAtt': ['Proxy', 'Endpoint'] },
        BUCKET: { Ref: 'Bucket' },
        SECRET: { Ref: 'Secret' },
        WHERE: { 'Fn::Join': ['/', [{ Ref: 'AWS::Region' }, { Ref: 'AWS::AccountId' }]] },
      },
    },
  },
};

/** Writes a cloud assembly of one stack, as `cdk synth` does. */
function assembly(name: string, resources: object = {}): string {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'asset.abc'), { recursive: true });
  writeFileSync(join(directory, 'asset.abc', 'index.mjs'), 'export const handler = async () => process.env;');
  const manifest = {
    artifacts: {
      'Stack.assets': { type: 'cdk:asset-manifest' },
      Stack: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Stack.template.json' } },
    },
  };
  const template = {
    Resources: {
      Proxy: { Type: 'AWS::RDS::DBProxy' },
      Bucket: { Type: 'AWS::S3::Bucket' },
      Secret: {
        Type: 'AWS::SecretsManager::Secret',
        Metadata: { 'partition-archiver:database-role': 'archiver_read' },
      },
      Worker: WORKER,
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Metadata: MARK,
        Properties: {
          DefinitionString: {
            'Fn::Join': [
              '',
              [
                '{"StartAt":"Work","States":{"Work":{"Type":"Task","TimeoutSeconds":60,"End":true,"Resource":"',
                { 'Fn::GetAtt': ['Worker', 'Arn'] },
                '"}}}',
              ],
            ],
          },
        },
      },
      ...resources,
    },
  };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, 'Stack.template.json'), JSON.stringify(template));
  return directory;
}

test('finds the machine, its functions and its secrets, and runs them', async () => {
  const machine = loadStateMachine(assembly('whole'), HERE);
  const secret = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:Secret';
  expect(machine.secrets).toEqual({ archiver_read: secret });
  expect([...machine.functions.values()]).toMatchObject([{ timeoutSeconds: 20, memoryMiB: 256 }]);
  const { output } = await runExecution(machine, {}, { environment: {} });
  expect(output).toMatchObject({
    HOST: 'localhost',
    BUCKET: 'archive',
    SECRET: secret,
    WHERE: 'eu-central-1/000000000000',
  });
});

test('leaves alone what belongs to somebody else', () => {
  const directory = assembly('others', {
    // Made by the CDK for itself; its environment could not be resolved.
    Provider: {
      Type: 'AWS::Lambda::Function',
      Properties: { ...WORKER.Properties, Environment: { Variables: { A: { Ref: 'Waiter' } } } },
    },
    Waiter: { Type: 'AWS::StepFunctions::StateMachine', Properties: {} },
  });
  const machine = loadStateMachine(directory, HERE);
  expect(machine.name).toBe('Machine');
  expect([...machine.functions.values()].map(({ logicalId }) => logicalId)).toEqual(['Worker']);
});

describe('refuses', () => {
  const withVariable = (value: unknown) => ({
    Worker: { ...WORKER, Properties: { ...WORKER.Properties, Environment: { Variables: { A: value } } } },
  });

  test.each([
    ['an intrinsic function that it does not know', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue/],
    ['a resource that it has no value for', { Ref: 'Topic' }, /no value for Topic \(AWS::SNS::Topic\)/],
    [
      'an attribute that it has no value for',
      { 'Fn::GetAtt': ['Topic', 'TopicName'] },
      /no value for Topic\.TopicName/,
    ],
  ])('%s', (name, value, message) => {
    const directory = assembly(name, { Topic: { Type: 'AWS::SNS::Topic' }, ...withVariable(value) });
    expect(() => loadStateMachine(directory, HERE)).toThrow(message);
  });

  test('a workflow that is not there, or is there twice', () => {
    const other = {
      Type: 'AWS::StepFunctions::StateMachine',
      Metadata: MARK,
      Properties: { DefinitionString: '{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}' },
    };
    const directory = assembly('two', { Other: other });
    expect(() => loadStateMachine(directory, HERE)).toThrow(/more than one workflow archive: Machine, Other/);
    expect(() => loadStateMachine(directory, { ...HERE, workflow: 'restore' })).toThrow(
      /no workflow restore/,
    );
  });

  test('a machine that it cannot run faithfully', () => {
    const Machine = {
      Type: 'AWS::StepFunctions::StateMachine',
      Metadata: MARK,
      Properties: {
        DefinitionString: '{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Succeed"}}}',
      },
    };
    expect(() => loadStateMachine(assembly('jsonata', { Machine }), HERE)).toThrow(
      /cannot run .* faithfully/,
    );
  });

  test('a function for another Node.js', () => {
    const Worker = { ...WORKER, Properties: { ...WORKER.Properties, Runtime: 'nodejs20.x' } };
    expect(() => loadStateMachine(assembly('node', { Worker }), HERE)).toThrow(
      /for nodejs20\.x, but this is/,
    );
  });

  test('an assembly without a stack, or with several', () => {
    const directory = assembly('stacks');
    const stack = { type: 'aws:cloudformation:stack' };
    for (const [artifacts, message] of [
      [{}, /has no stack/],
      [{ One: stack, Other: stack }, /has several stacks: One, Other/],
    ] as const) {
      writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts }));
      expect(() => loadStateMachine(directory, HERE)).toThrow(message);
    }
  });
});
