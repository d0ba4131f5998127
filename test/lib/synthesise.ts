import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseDeploymentConfig } from '../../core/config/deployment.ts';
import { PartitionArchiverStack } from '../../lib/partition-archiver-stack.ts';
import { stackDirectory } from '../support/stack.ts';
import { exampleConfig, readJson, withAdministrator } from './example.ts';

export * from './example.ts';

const NO_BUNDLES = { 'aws:cdk:bundling-stacks': [] };
/** Nor is what else the assembly would have copied into it: a test of templates reads the template. */
const TEMPLATE_ALONE = { ...NO_BUNDLES, 'aws:cdk:disable-asset-staging': true };

// The CDK's own look at each template takes seconds. It is taken wherever tests run the real command.
process.env['CDK_VALIDATION'] = 'false';

const templates = new Map<string, Template>();

/**
 * The template of a deployment file, synthesised once for all test files of a run. Code is not bundled: it takes long, and
 * one test of its own does it.
 */
export function synthesise(changes: object = {}): Template {
  const key = JSON.stringify(exampleConfig(changes));
  const known = templates.get(key);
  if (known !== undefined) return known;
  const template = Template.fromJSON(
    onceInThisRun(key, () =>
      withoutMappings(withoutStacks(() => Template.fromStack(stackOf(changes, TEMPLATE_ALONE)).toJSON())),
    ),
  );
  templates.set(key, template);
  return template;
}

/** What another test file of the same run has made of `key`, or what `make` makes of it. */
function onceInThisRun(key: string, make: () => Record<string, unknown>): Record<string, unknown> {
  const folder = join(stackDirectory(), 'templates');
  const file = join(folder, createHash('sha256').update(key).digest('hex'));
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const made = make();
  mkdirSync(folder, { recursive: true });
  const unfinished = `${file}-${String(process.pid)}`;
  writeFileSync(unfinished, JSON.stringify(made));
  renameSync(unfinished, file);
  return made;
}

/**
 * A template with the values of its mappings where it refers to them, as CloudFormation puts them in before it makes any
 * resource.
 */
export function withoutMappings({
  Mappings = {},
  ...template
}: TemplateWithMappings): Record<string, unknown> {
  const put = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(put);
    if (typeof value !== 'object' || value === null) return value;
    const { 'Fn::FindInMap': found, 'Fn::Join': join } = value as {
      'Fn::FindInMap'?: readonly [string, string, string];
      'Fn::Join'?: readonly [string, readonly unknown[]];
    };
    if (found !== undefined) return Mappings[found[0]]?.[found[1]]?.[found[2]];
    if (join?.[0] === '') return joined(join[1].map(put));
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, put(member)]));
  };
  return put(template) as Record<string, unknown>;
}

interface TemplateWithMappings {
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  readonly [section: string]: unknown;
}

/** Texts that are beside one another as one text. */
function joined(parts: readonly unknown[]): unknown {
  const merged: unknown[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === 'string' && typeof last === 'string') merged[merged.length - 1] = last + part;
    else merged.push(part);
  }
  return { 'Fn::Join': ['', merged] };
}

/**
 * The CDK notes at each resource and each acknowledged finding where it was made, and jest looks every frame up in its source
 * maps: a third of a synthesis. Nobody reads them in a template; what fails is done again with them.
 */
function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } catch {
    Error.stackTraceLimit = stackTraceLimit;
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The cloud assembly of the example file with an administrator and other changes, as a folder. */
export function synthesiseAssembly({
  bundle,
  changes = {},
}: {
  readonly bundle: boolean;
  readonly changes?: object;
}): string {
  const app = Stage.of(stackOf({ ...withAdministrator(), ...changes }, bundle ? {} : NO_BUNDLES));
  if (app === undefined) throw new Error('the stack is in no app');
  return app.synth().directory;
}

/** The stack of a deployment file in an app of its own. */
export function stackOf(changes: object, context: object): PartitionArchiverStack {
  const parsed = parseDeploymentConfig(exampleConfig(changes));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const flags = (readJson('cdk.json') as { context: Record<string, unknown> }).context;
  const app = makeApp({ ...flags, ...context });
  const { stackName } = parsed.config;
  return withoutStacks(() => new PartitionArchiverStack(app, stackName, { config: parsed.config }));
}

const directory = mkdtempSync(join(tmpdir(), 'partition-archiver-cdk-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** An app whose cloud assembly is gone when the test file is done; without a folder of its own it would stay in /tmp. */
export function makeApp(context: Record<string, unknown> = NO_BUNDLES): App {
  // Nobody reads tree.json, which is another quarter of a synthesis.
  return new App({ context, treeMetadata: false, outdir: mkdtempSync(join(directory, 'cdk.out-')) });
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

/** A statement of an identity policy. */
export interface PolicyStatement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly PolicyStatement[] };
}

/** The statements of all policies of a template, each with the logical id of its role: inline, attached and managed policies. */
export function roleStatements(template: Template): { role: string; statement: PolicyStatement }[] {
  const inline = resources(template, 'AWS::IAM::Role').flatMap(([role, { Properties }]) =>
    ((Properties['Policies'] ?? []) as Policy[]).map((policy) => ({ role, ...policy })),
  );
  const beside = resources(template, 'AWS::IAM::Policy').flatMap(([, { Properties }]) => {
    const { Roles, PolicyDocument } = Properties as unknown as { Roles: { Ref: string }[] } & Policy;
    return Roles.map(({ Ref: role }) => ({ role, PolicyDocument }));
  });
  const shared = new Map(resources(template, 'AWS::IAM::ManagedPolicy'));
  const managed = resources(template, 'AWS::IAM::Role').flatMap(([role, { Properties }]) =>
    ((Properties['ManagedPolicyArns'] ?? []) as { Ref?: string }[]).map(({ Ref = '' }) => {
      const policy = shared.get(Ref);
      if (policy === undefined) throw new Error(`${role} has a policy that is not of the template`);
      return { role, ...(policy.Properties as unknown as Policy) };
    }),
  );
  return [...inline, ...beside, ...managed].flatMap(({ role, PolicyDocument }) =>
    PolicyDocument.Statement.map((statement) => ({ role, statement })),
  );
}
