import type { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';
import type { DatabaseCustomResources } from './custom-resources.ts';
import { TARGETS_HAVE_NO_NAME, unnamedTargets } from './unnamed-targets.ts';

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
    const unnamed = unnamedTargets(this, kind);
    acknowledgeWildcards(customResources, TARGETS_HAVE_NO_NAME, unnamed);
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
          actions: ['rds:RegisterDBProxyTargets', 'rds:ModifyDBProxyTargetGroup'],
          resources: [proxy.dbProxyArn, arn, ...unnamed],
        }),
      ],
    );
  }
}
