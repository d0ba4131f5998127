/** What CloudFormation does with a stack whose template changes. */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { CloudResource, CloudTemplate } from '../rules/rule.ts';

/** A resource that is to be replaced, and the properties that ask for it. */
export interface Replacement {
  readonly id: string;
  readonly type: string;
  readonly by: readonly string[];
}

/** Logical ids, each in one of the lists. */
export interface Change {
  readonly updated: readonly string[];
  readonly replaced: readonly Replacement[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Properties of custom resources that are in their physical id, so that another value is another resource
 * (`lambdas/runtime/feature-role-handlers.ts`, `proxy-target-handlers.ts`).
 */
const CUSTOM: Readonly<Record<string, readonly string[]>> = {
  'Custom::DatabaseFeatureRole': ['kind', 'identifier', 'feature'],
  'Custom::DatabaseProxyTarget': ['proxyName'],
};

const types = new Map(
  loadAwsServiceSpecSync()
    .all('resource')
    .map((type) => [type.cloudFormationType, type.properties]),
);

/**
 * Compares two templates of one stack as CloudFormation does: a property whose change replaces the resource makes a new one
 * before the old one is deleted, and whatever refers to it has a new value, too. A property that may replace counts as one
 * that does.
 *
 * Source: `causesReplacement` of `@aws-cdk/aws-service-spec`, which is made of the schemas of the CloudFormation registry;
 * "Update behaviors of stack resources", AWS CloudFormation User Guide.
 */
export function compare(before: CloudTemplate, after: CloudTemplate): Change {
  const kept = Object.keys(after.Resources).filter(
    (id) => before.Resources[id]?.Type === after.Resources[id]?.Type,
  );
  const replaced = new Map<string, Replacement>();
  let changed = new Map<string, string[]>();
  for (let found = -1; found < replaced.size;) {
    found = replaced.size;
    changed = new Map(
      kept.flatMap((id) => {
        const names = changedProperties(before.Resources[id]!, after.Resources[id]!, replaced);
        return names.length === 0 ? [] : [[id, names]];
      }),
    );
    for (const [id, names] of changed) {
      const type = after.Resources[id]!.Type;
      const by = names.filter((name) => replaces(type, name));
      if (by.length > 0) replaced.set(id, { id, type, by });
    }
  }
  const ids = (template: CloudTemplate) => Object.keys(template.Resources);
  return {
    updated: [...changed.keys()].filter((id) => !replaced.has(id)),
    replaced: [...replaced.values()],
    added: ids(after).filter((id) => !kept.includes(id)),
    removed: ids(before).filter((id) => !kept.includes(id)),
  };
}

function changedProperties(
  { Properties: before = {} }: CloudResource,
  { Properties: after = {} }: CloudResource,
  replaced: ReadonlyMap<string, unknown>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]) || refersTo(after[name], replaced),
  );
}

/** Whether a value has a reference to one of these resources in it. */
export function refersTo(value: unknown, ids: { has(id: string): boolean }): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: readonly string[] };
  if (ids.has(Ref ?? attribute?.[0] ?? '')) return true;
  return Object.values(value).some((member) => refersTo(member, ids));
}

function replaces(type: string, property: string): boolean {
  const custom = CUSTOM[type];
  if (custom !== undefined) return custom.includes(property);
  const properties = types.get(type);
  if (properties === undefined) throw new Error(`what replaces a resource of type ${type} is not known`);
  return ['yes', 'maybe'].includes(properties[property]?.causesReplacement ?? 'no');
}
