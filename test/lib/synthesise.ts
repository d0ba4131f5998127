import { Template } from 'aws-cdk-lib/assertions';
import { exampleConfig, withAdministrator } from './example.ts';
import { ask } from './synthesis/ask.ts';

export * from './example.ts';

const templates = new Map<string, Template>();

/** The template of the example file with changes, synthesised once for all test files of a run, without the code. */
export function synthesise(changes: object = {}): Template {
  const file = exampleConfig(changes);
  const key = JSON.stringify(file);
  const known = templates.get(key);
  if (known !== undefined) return known;
  const template = Template.fromJSON(
    withoutMappings(ask({ what: 'template', file }) as Record<string, unknown>),
  );
  templates.set(key, template);
  return template;
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

/** The cloud assembly of the example file with an administrator and other changes, as a folder that is only read. */
export function synthesiseAssembly({
  bundle,
  changes = {},
}: {
  readonly bundle: boolean;
  readonly changes?: object;
}): string {
  const file = exampleConfig({ ...withAdministrator(), ...changes });
  return ask({ what: bundle ? 'assembly-with-code' : 'assembly', file }) as string;
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

/** The variables of each function that logs in to the database; there are some. */
export function databaseVariables(template: Template): Record<string, unknown>[] {
  const found = resources(template, 'AWS::Lambda::Function')
    .map(
      ([, { Properties }]) => Properties['Environment'] as { Variables: Record<string, unknown> } | undefined,
    )
    .map((environment) => environment?.Variables ?? {})
    .filter((variables) => 'DATABASE_HOST' in variables);
  if (found.length === 0) throw new Error('no function logs in to the database');
  return found;
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
