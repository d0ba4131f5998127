import type * as iam from 'aws-cdk-lib/aws-iam';
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Says why a finding of cdk-nag's AwsSolutions pack is right as it is, for this construct and what is below it. An app
 * that has an archiver in it then gets only findings of its own from the pack.
 */
export function acknowledge(scope: IConstruct, rule: string, reason: string): void {
  Validations.of(scope).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** The same of policy statements with exactly these resources, which have a `*` in them. */
export function acknowledgeWildcards(scope: IConstruct, reason: string, resources: readonly string[]): void {
  for (const resource of resources) {
    acknowledge(scope, `IAM5[Resource::${flatten(Stack.of(scope).resolve(resource))}]`, reason);
  }
}

/** The resources of statements that are patterns. */
export const wildcardsOf = (...statements: readonly (iam.PolicyStatement | undefined)[]): string[] =>
  statements.flatMap((statement) => statement?.resources.filter((resource) => resource.includes('*')) ?? []);

/** References as the findings write them: `<LogicalId.Arn>`. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, Ref: reference } = value as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(flatten).join(String(join[0]));
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  return typeof reference === 'string' ? `<${reference}>` : JSON.stringify(value);
}
