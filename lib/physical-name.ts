import { createHash } from 'node:crypto';
import { Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * What an archiver is known by in its account and Region, where nothing but the stack's name stands once: that name, then the
 * path in the stack. Two deployments of one app, by `stackName`, have one path.
 */
export function archiverName(archiver: IConstruct): string {
  let stack = Stack.of(archiver);
  // The name of a nested stack is known to CloudFormation only.
  while (Token.isUnresolved(stack.stackName) && stack.nestedStackParent) stack = stack.nestedStackParent;
  const path = archiver.node.scopes.slice(archiver.node.scopes.indexOf(stack) + 1);
  return [stack.stackName, ...path.map(({ node }) => node.id)].join('/');
}

/**
 * A name by which people tell the resources of one archiver from those of another: the stack's name, the construct's
 * path in it unless it is the usual one, and what it is. CloudFormation would take the logical id alone, which is the
 * same for every database.
 *
 * @param archiver its `archiverName`
 */
export function physicalName(archiver: string, what: string, maxLength = 80): string {
  const prefix = archiver.replace(/\/Archiver$/, '').replaceAll(/[^\w-]+/g, '-');
  const name = `${prefix}-${what}`;
  if (name.length <= maxLength) return name;
  const hash = createHash('sha256').update(prefix).digest('hex').slice(0, 8);
  return `${prefix.slice(0, maxLength - what.length - hash.length - 2)}-${hash}-${what}`;
}
