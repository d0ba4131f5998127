import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseDeploymentConfig } from '../../core/config/deployment.ts';
import { PartitionArchiverStack } from '../../lib/partition-archiver-stack.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The example file, with some settings replaced, `undefined` for left out. */
export function exampleConfig(changes: object = {}): object {
  const example = readJson('partition-archiver.example.json');
  return JSON.parse(JSON.stringify({ ...example, ...changes })) as object;
}

export const ADMIN_SECRET_ARN =
  'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-0a1b2c3d-AbCdEf';

/** The change to the example by which the workflows of an administrator are made, too. */
export function withAdministrator(): { readonly database: object } {
  const { database } = exampleConfig() as { database: object };
  return { database: { ...database, adminSecretArn: ADMIN_SECRET_ARN } };
}

/** The stack of a deployment file. Code is not bundled: it takes long, and one test of its own does it. */
export function synthesise(changes: object = {}): Template {
  return Template.fromStack(stackOf(changes, { 'aws:cdk:bundling-stacks': [] }));
}

/** The cloud assembly of the example file with an administrator, as a folder. */
export function synthesiseAssembly({ bundle }: { readonly bundle: boolean }): string {
  const app = Stage.of(stackOf(withAdministrator(), bundle ? {} : { 'aws:cdk:bundling-stacks': [] }));
  if (app === undefined) throw new Error('the stack is in no app');
  return app.synth().directory;
}

/** The stack of a deployment file in an app of its own. */
export function stackOf(changes: object, context: object): PartitionArchiverStack {
  const parsed = parseDeploymentConfig(exampleConfig(changes));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const flags = (readJson('cdk.json') as { context: Record<string, unknown> }).context;
  const app = new App({ context: { ...flags, ...context } });
  return new PartitionArchiverStack(app, parsed.config.stackName, { config: parsed.config });
}

function readJson(file: string): object {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as object;
}

/** A resource as `Template.findResources` gives it. */
export interface Resource {
  readonly Properties: Record<string, unknown>;
  readonly [field: string]: unknown;
}

/** Resources of one type by logical id. */
export function resources(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.findResources(type) as Record<string, Resource>);
}
