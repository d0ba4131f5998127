import * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/**
 * Puts what the roles below this construct may do into the roles themselves. The CDK makes a policy of its own for each
 * role: a resource more, of which a stack has 500, and one that whatever uses the role has to wait for. What is allowed to a
 * role afterwards is in it, too.
 */
export function inlinePolicies(scope: IConstruct): void {
  for (const role of scope.node.findAll()) {
    if (!(role instanceof iam.Role)) continue;
    const policy = role.node.tryFindChild('DefaultPolicy');
    if (!(policy instanceof iam.Policy)) continue;
    const resource = role.node.defaultChild as iam.CfnRole;
    resource.policies = [{ policyName: 'Rights', policyDocument: policy.document }];
    role.node.tryRemoveChild('DefaultPolicy');
  }
}
