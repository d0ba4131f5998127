import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Why a statement names all target groups, and all instances for a cluster. */
export const TARGETS_HAVE_NO_NAME =
  'RDS names the target group of a proxy by an id that no resource of the template has, and a cluster by its instances, too.';

/**
 * ARNs that RDS authorizes a call for the target of a proxy by, besides those of proxy and database: its target group, and the
 * instances of a cluster (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html).
 */
export function unnamedTargets(scope: Construct, kind: 'cluster' | 'instance'): string[] {
  const groups = rdsArn(scope, 'target-group', 'prx-tg-*');
  return kind === 'cluster' ? [groups, rdsArn(scope, 'db')] : [groups];
}

/** ARN of a resource of RDS in this account and Region, by default of all of a kind. */
export const rdsArn = (scope: Construct, resource: string, resourceName = '*'): string =>
  Stack.of(scope).formatArn({
    service: 'rds',
    resource,
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
