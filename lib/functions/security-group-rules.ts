import * as ec2 from 'aws-cdk-lib/aws-ec2';

/** A port of a security group that a function has to reach. */
export interface Way {
  readonly group: ec2.ISecurityGroup;
  readonly port: number;
}

/** A port of each of these groups. */
export function waysTo(groups: readonly ec2.ISecurityGroup[], port: number): Way[] {
  return groups.map((group) => ({ group, port }));
}

/**
 * What `connections.allowTo` does, with the way out as part of the functions' security group and not as a resource of its
 * own, of which a stack has only 500. Functions share their group, and proxy, reader and database may be behind one
 * security group, which is imported under several ids: EC2 refuses a rule that is there already.
 */
export function allowConnections(from: ec2.SecurityGroup, ways: readonly Way[]): void {
  const seen = allowed.get(from) ?? new Set<string>();
  allowed.set(from, seen);
  for (const { group, port: portNumber } of ways) {
    const key = `${group.securityGroupId} ${String(portNumber)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const port = ec2.Port.tcp(portNumber);
    from.addEgressRule(ec2.Peer.securityGroupId(group.securityGroupId), port, 'Database');
    group.addIngressRule(from, port, 'Partition archiver');
  }
}

const allowed = new WeakMap<ec2.SecurityGroup, Set<string>>();
