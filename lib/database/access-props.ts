import type { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { DatabaseRole } from './roles.ts';
import type { DatabaseTarget } from './target.ts';
import type { DatabaseCustomResources } from './custom-resources.ts';

/** An RDS Proxy that is there already. */
export interface ExistingProxy {
  readonly endpoint: string;
  /** @default 5432 */
  readonly port?: number;
  readonly securityGroupIds: readonly string[];
  /**
   * Resource id, the last part of its ARN: `prx-…`.
   *
   * @default - not known; needed where functions log in by IAM
   */
  readonly resourceId?: string | undefined;
}

/** Connections of a new proxy. */
export interface ProxyPool {
  /**
   * How long a function waits for a free connection: 5 minutes at most.
   *
   * @default Duration.minutes(2)
   */
  readonly borrowTimeout?: Duration;
  /**
   * Share of the database's `max_connections` that the proxy may open, in percent, so that archiving never takes
   * connections that the application needs.
   *
   * @default 20
   */
  readonly maxConnectionsPercent?: number;
}

/** How functions log in: by a generated password for each database role, or by IAM from end to end. */
export type DatabaseAuthentication = 'secrets' | 'iam';

/** Properties of {@link DatabaseAccess}. */
export interface DatabaseAccessProps {
  readonly vpc: ec2.IVpc;
  /** Subnets of the proxy, in at least two availability zones. */
  readonly vpcSubnets: ec2.SubnetSelection;
  readonly target: DatabaseTarget;
  /** Roles that functions log in as. */
  readonly roles: readonly DatabaseRole[];
  /**
   * RDS Proxy that is there already. Its owner has to let it use the secrets, with TLS required.
   *
   * @default - a new proxy
   */
  readonly existingProxy?: ExistingProxy;
  /**
   * Whether functions connect straight to the database, and no proxy is made.
   *
   * @default false
   */
  readonly withoutProxy?: boolean;
  /** What registers the database with a new proxy. */
  readonly customResources: () => DatabaseCustomResources;
  /**
   * How functions log in, and the proxy after them. By IAM, the database must have IAM authentication enabled, and its
   * roles be members of `rds_iam`; the resource ids of database and given proxy must be known.
   *
   * @default 'secrets'
   */
  readonly authentication?: DatabaseAuthentication;
  /**
   * Connections of a new proxy.
   *
   * @default - see each
   */
  readonly proxyPool?: ProxyPool;
  /**
   * Secret `{"username", "password"}` of an administrator of the database, such as the one that RDS manages. Import it
   * with its key where it is encrypted with one of your own.
   *
   * @default - no function logs in as an administrator
   */
  readonly adminSecret?: secretsmanager.ISecret;
  /**
   * Role of an administrator who logs in by IAM, a member of `rds_superuser` and `rds_iam`. Only where functions do.
   *
   * @default - no function logs in as an administrator
   */
  readonly adminUser?: string;
}
