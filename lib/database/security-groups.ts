import { createHash } from 'node:crypto';
import { Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

/** A rule that a security group of the database, of its proxy or of a reader needs. */
export interface IngressRule {
  /** The group that needs the rule. */
  readonly to: ec2.ISecurityGroup;
  readonly port: number;
  /** The group that is let in. */
  readonly from: ec2.ISecurityGroup;
}

/**
 * The security groups of these ids, each imported once for a stack and known by its id, not by its place in a list.
 * Database, proxy and reader may be behind one group: a rule of it has one construct, whatever asks for it, so that no rule
 * stands twice, and none moves to another logical id when a setting changes. CloudFormation makes the new resource before
 * it deletes the old one, and EC2 refuses a rule that is there already.
 *
 * @param mutable whether the stack adds rules to them
 */
export function securityGroups(
  scope: Construct,
  groupIds: readonly string[],
  mutable: boolean,
): ec2.ISecurityGroup[] {
  const stack = Stack.of(scope);
  return groupIds.map((groupId) => {
    const id = `SecurityGroup-${Token.isUnresolved(groupId) ? hashOf(stack.resolve(groupId)) : groupId}`;
    const known = stack.node.tryFindChild(id) as ec2.ISecurityGroup | undefined;
    return known ?? ec2.SecurityGroup.fromSecurityGroupId(stack, id, groupId, { mutable });
  });
}

/** The id of a construct has no tokens in it. */
function hashOf(resolved: unknown): string {
  return createHash('sha256').update(JSON.stringify(resolved)).digest('hex').slice(0, 8);
}

/** Makes a security group of functions, with the way out to AWS services, and to DNS servers that know their addresses. */
export function groupOfFunctions(scope: Construct, name: string, vpc: ec2.IVpc): ec2.SecurityGroup {
  const group = new ec2.SecurityGroup(scope, `${name}SecurityGroup`, {
    vpc,
    description: `Partition archiver, ${name.toLowerCase()}`,
    allowAllOutbound: false,
  });
  // S3 and Secrets Manager, whether by NAT or by endpoint, have no fixed addresses.
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'AWS services');
  // No group stops requests to the resolver of AWS, but those to DNS servers that the DHCP options of the VPC name.
  for (const port of [ec2.Port.udp(53), ec2.Port.tcp(53)]) {
    group.addEgressRule(ec2.Peer.anyIpv4(), port, 'DNS');
  }
  return group;
}

/**
 * What `connections.allowTo` does, with the way out as part of the functions' security group and not as a resource of its
 * own, of which a stack has only 500. Returns the rules.
 */
export function allowConnections(
  from: ec2.SecurityGroup,
  groups: readonly ec2.ISecurityGroup[],
  portNumber: number,
): IngressRule[] {
  const port = ec2.Port.tcp(portNumber);
  return groups.map((to) => {
    from.addEgressRule(ec2.Peer.securityGroupId(to.securityGroupId), port, 'Database');
    to.addIngressRule(from, port, 'Partition archiver');
    return { to, port: portNumber, from };
  });
}
