import { Duration, Names, Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DatabaseTarget } from './database-target.ts';
import { DATABASE_ROLES, type DatabaseRole } from './steps.ts';

/** Key of the tag and of the template metadata that say whose password a secret holds. */
const DATABASE_ROLE_TAG = 'partition-archiver:database-role';

/** Properties of {@link DatabaseAccess}. */
export interface DatabaseAccessProps {
  readonly vpc: ec2.IVpc;
  /** Subnets of the proxy, in at least two availability zones. */
  readonly vpcSubnets: ec2.SubnetSelection;
  readonly target: DatabaseTarget;
  /**
   * How long a Lambda waits for a free connection.
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

/**
 * The only way to the database: an RDS Proxy that insists on TLS, and a generated secret for each database role.
 *
 * The roles themselves are made in the database by `db/`, with the passwords of these secrets.
 */
export class DatabaseAccess extends Construct {
  /** Host name of the proxy. */
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly proxy: rds.DatabaseProxy;
  private readonly secrets: ReadonlyMap<DatabaseRole, secretsmanager.Secret>;

  constructor(scope: Construct, id: string, props: DatabaseAccessProps) {
    super(scope, id);
    this.secrets = new Map(DATABASE_ROLES.map((role) => [role, this.generateSecret(role)]));
    const maxConnectionsPercent = props.maxConnectionsPercent ?? 20;
    this.proxy = new rds.DatabaseProxy(this, 'Proxy', {
      // The construct would take its own id as the name, which could stand only once in an account.
      dbProxyName: Names.uniqueResourceName(this, { maxLength: 60, separator: '-' }),
      proxyTarget: props.target.proxyTarget,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: [
        new ec2.SecurityGroup(this, 'ProxySecurityGroup', {
          vpc: props.vpc,
          description: 'RDS Proxy of the partition archiver',
          allowAllOutbound: true,
        }),
      ],
      // Secret says `secretFullArn?: string | undefined`, ISecret `secretFullArn?: string`.
      secrets: [...this.secrets.values()] as secretsmanager.ISecret[],
      requireTLS: true,
      borrowTimeout: props.borrowTimeout ?? Duration.minutes(2),
      maxConnectionsPercent,
      maxIdleConnectionsPercent: Math.min(maxConnectionsPercent, 5),
    });
    this.host = this.proxy.endpoint;
    this.port = props.target.port;
    this.databaseName = props.target.databaseName;
  }

  /** The secret `{"username", "password"}` of a database role. */
  secret(role: DatabaseRole): secretsmanager.Secret {
    const secret = this.secrets.get(role);
    if (secret === undefined) throw new Error(`no secret for database role ${role}`);
    return secret;
  }

  private generateSecret(role: DatabaseRole): secretsmanager.Secret {
    const id = `${role.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Secret`;
    const secret = new secretsmanager.Secret(this, id, {
      description: `Login of the database role ${role}`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: role }),
        generateStringKey: 'password',
        passwordLength: 40,
        // Punctuation buys nothing at this length and has to be quoted in psql.
        excludePunctuation: true,
      },
    });
    Tags.of(secret).add(DATABASE_ROLE_TAG, role);
    (secret.node.defaultChild as secretsmanager.CfnSecret).addMetadata(DATABASE_ROLE_TAG, role);
    return secret;
  }
}
