import { ArnFormat, type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';
import type { DatabaseCustomResources } from './custom-resources.ts';

/** Why a statement names all target groups. */
export const TARGET_GROUPS_HAVE_NO_NAME =
  'RDS names the target group of a proxy by an id that no resource of the template has.';

/** Properties of {@link ProxyTargetRegistration}. */
export interface ProxyTargetRegistrationProps {
  readonly customResources: DatabaseCustomResources;
  readonly proxy: rds.DatabaseProxy;
  readonly maxConnectionsPercent: number;
  readonly maxIdleConnectionsPercent: number;
  readonly borrowTimeout: Duration;
}

/**
 * Registers the database with a proxy. Not by `AWS::RDS::DBProxyTargetGroup`, whose handler waits until the target is
 * AVAILABLE: it is not before the proxy can log in, and the roles that it logs in as are made after the deployment.
 */
export class ProxyTargetRegistration extends Construct {
  constructor(scope: Construct, id: string, props: ProxyTargetRegistrationProps) {
    super(scope, id);
    const { customResources, proxy } = props;
    const { kind, identifier, arn } = customResources.target;
    const groups = targetGroups(this);
    acknowledgeWildcards(customResources, TARGET_GROUPS_HAVE_NO_NAME, [groups]);
    customResources.resource(
      this,
      'Target',
      'Custom::DatabaseProxyTarget',
      {
        proxyName: proxy.dbProxyName,
        kind,
        identifier,
        maxConnectionsPercent: props.maxConnectionsPercent,
        maxIdleConnectionsPercent: props.maxIdleConnectionsPercent,
        borrowTimeoutSeconds: props.borrowTimeout.toSeconds(),
      },
      [
        new iam.PolicyStatement({
          sid: 'ChangeTargetOfTheProxy',
          actions: [
            'rds:DescribeDBProxyTargets',
            'rds:RegisterDBProxyTargets',
            'rds:DeregisterDBProxyTargets',
            'rds:ModifyDBProxyTargetGroup',
          ],
          resources: [proxy.dbProxyArn, groups, arn],
        }),
      ],
    );
  }
}

/** The target groups of proxies: each has an id of its own, which only RDS knows. */
export function targetGroups(scope: Construct): string {
  return Stack.of(scope).formatArn({
    service: 'rds',
    resource: 'target-group',
    resourceName: 'prx-tg-*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
