import { createHash } from 'node:crypto';
import { Duration, Fn, Names, Stack, Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.ts';
import { bySecret, statementToLogIn, pastTheProxy, type DatabaseLogin } from './login.ts';
import type { DatabaseAccessProps, DatabaseAuthentication } from './access-props.ts';
import { ProxyTargetRegistration } from './proxy-target.ts';
import { unnamedTargets } from './unnamed-targets.ts';
import { securityGroups, type IngressRule } from './security-groups.ts';
import type { DatabaseTarget } from './target.ts';
import type { DatabaseRole } from './roles.ts';

/** Key of the tag and of the template metadata that say whose password a secret holds. */
const DATABASE_ROLE_TAG = 'partition-archiver:database-role';

/** RDS Proxy listens here for PostgreSQL, whatever the port of the database is. */
const PROXY_PORT = 5432;

export type { DatabaseAuthentication, ExistingProxy, ProxyPool } from './access-props.ts';

/**
 * The ways to the database: an RDS Proxy, of which a new one insists on TLS, with a generated secret for each database
 * role, or by IAM and without any; and past it, for an administrator.
 *
 * The roles themselves are made in the database by `db/`, with the passwords of these secrets.
 */
export class DatabaseAccess extends Construct {
  /** Host name of the proxy; of the database where there is none. */
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly formerNames: readonly string[];
  /** Security groups of the proxy, or of the database where there is none. */
  readonly connections: ec2.Connections;
  readonly authentication: DatabaseAuthentication;
  private readonly roles: readonly DatabaseRole[];
  private readonly secrets: ReadonlyMap<DatabaseRole, secretsmanager.Secret>;
  private readonly administrator: DatabaseLogin | undefined;
  private readonly target: DatabaseTarget;
  /** Resource id of what functions log in to, where they do so by IAM. */
  private readonly loginResourceId: string;
  /** The proxy that was made here. */
  readonly proxy: rds.DatabaseProxy | undefined;
  private readonly withoutProxy: boolean;

  constructor(scope: Construct, id: string, props: DatabaseAccessProps) {
    super(scope, id);
    this.target = props.target;
    this.authentication = props.authentication ?? 'secrets';
    this.roles = props.roles;
    const withSecret = this.authentication === 'secrets' ? props.roles : [];
    this.secrets = new Map(withSecret.map((role) => [role, this.generateSecret(role)]));
    this.databaseName = props.target.databaseName;
    this.formerNames = props.target.formerNames;
    this.administrator = this.administratorOf(props);
    const { host, port, connections } = props.target;
    this.withoutProxy = props.withoutProxy ?? false;
    this.proxy = this.withoutProxy || props.existingProxy !== undefined ? undefined : this.makeProxy(props);
    if (this.proxy !== undefined) {
      this.host = this.proxy.endpoint;
      this.port = PROXY_PORT;
      this.connections = this.proxy.connections;
      this.loginResourceId = Fn.select(6, Fn.split(':', this.proxy.dbProxyArn));
    } else if (props.existingProxy === undefined) {
      this.host = host;
      this.port = port;
      this.connections = connections;
      this.loginResourceId = this.authentication === 'iam' ? this.targetResourceId : '';
    } else {
      const { endpoint, securityGroupIds, resourceId, port: proxyPort } = props.existingProxy;
      if (this.authentication === 'iam' && resourceId === undefined) {
        throw new Error('functions log in by IAM, but the resource id of the existing proxy is not given');
      }
      this.host = endpoint;
      this.port = proxyPort ?? PROXY_PORT;
      this.loginResourceId = resourceId ?? '';
      this.connections = new ec2.Connections({
        securityGroups: securityGroups(this, securityGroupIds, this.target.allowIngress),
      });
    }
  }

  /** What the security groups of the database need where the stack makes a proxy. */
  get ingressRules(): IngressRule[] {
    const { proxy, target } = this;
    if (proxy === undefined) return [];
    return proxy.connections.securityGroups.flatMap((from) =>
      target.connections.securityGroups.map((to) => ({ to, port: target.port, from })),
    );
  }

  /** Whether the stack adds rules to security groups that it did not make. */
  get allowIngress(): boolean {
    return this.target.allowIngress;
  }

  /** How an administrator logs in: to the database itself, since the proxy knows only the archiver's roles. */
  private administratorOf({ adminSecret, adminUser }: DatabaseAccessProps): DatabaseLogin | undefined {
    const { host, port, connections } = this.target;
    if (this.authentication === 'secrets') {
      if (adminUser !== undefined) throw new Error('adminUser logs in by IAM, and functions do not');
      if (adminSecret === undefined) return undefined;
      return { host, port, connections, ...pastTheProxy(bySecret(adminSecret, Stack.of(this).region)) };
    }
    if (adminSecret !== undefined) throw new Error('adminSecret has a password, and functions log in by IAM');
    if (adminUser === undefined) return undefined;
    const statements = [statementToLogIn(this, this.targetResourceId, adminUser)];
    return {
      host,
      port,
      connections,
      ...pastTheProxy({ statements, environment: { DATABASE_USER: adminUser } }),
    };
  }

  private makeProxy(props: DatabaseAccessProps): rds.DatabaseProxy {
    const { maxConnectionsPercent = 20, borrowTimeout = Duration.minutes(2) } = props.proxyPool ?? {};
    const maxIdleConnectionsPercent = Math.min(maxConnectionsPercent, 5);
    const proxy = new rds.DatabaseProxy(this, 'Proxy', {
      dbProxyName: this.proxyName(props),
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
      ...(this.authentication === 'iam'
        ? { defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH, role: this.proxyRole() }
        : // Secret says `secretFullArn?: string | undefined`, ISecret `secretFullArn?: string`.
          { secrets: [...this.secrets.values()] as secretsmanager.ISecret[] }),
      requireTLS: true,
    });
    // CloudFormation would wait for a target that cannot be healthy before the database is prepared.
    proxy.node.tryRemoveChild('ProxyTargetGroup');
    new ProxyTargetRegistration(this, 'ProxyTarget', {
      customResources: props.customResources(),
      proxy,
      maxConnectionsPercent,
      maxIdleConnectionsPercent,
      borrowTimeout,
    });
    return proxy;
  }

  /**
   * A name of its own for each set of subnets: other subnets are another proxy, and CloudFormation refuses to replace a
   * resource by one of the same name. The construct's own choice, its id, could stand only once in an account.
   */
  private proxyName({ vpc, vpcSubnets }: DatabaseAccessProps): string {
    // What stands for an id that only CloudFormation knows is another text whenever something else of the app changes.
    const subnets = (Stack.of(this).resolve(vpc.selectSubnets(vpcSubnets).subnetIds) as unknown[])
      .map((subnet) => (typeof subnet === 'string' ? subnet : JSON.stringify(subnet)))
      .join(' ');
    const hash = createHash('sha256').update(subnets).digest('hex').slice(0, 8);
    return `${Names.uniqueResourceName(this, { maxLength: 50, separator: '-' })}-${hash}`;
  }

  /**
   * What the proxy needs to log in as the roles that log in to it. Its trust has no condition, as that of the role that the CDK
   * makes: RDS Proxy sends no global condition keys ("Quotas and limitations for RDS Proxy", Amazon Aurora User Guide).
   */
  private proxyRole(): iam.Role {
    const role = new iam.Role(this, 'ProxyRole', {
      description: 'Logs the RDS Proxy of the partition archiver in',
      assumedBy: new iam.ServicePrincipal('rds.amazonaws.com'),
    });
    role.addToPolicy(statementToLogIn(this, this.targetResourceId, ...this.roles));
    return role;
  }

  private get targetResourceId(): string {
    const { resourceId } = this.target;
    if (resourceId === undefined) {
      throw new Error('functions log in by IAM, but the resource id of the database is not given');
    }
    return resourceId;
  }

  /** How to log in; `undefined` for an administrator where the props name none. */
  login(as: DatabaseRole | 'administrator'): DatabaseLogin | undefined {
    if (as === 'administrator') return this.administrator;
    const { host, port, connections } = this;
    if (this.authentication === 'iam') {
      const statement = statementToLogIn(this, this.loginResourceId, as);
      const byIam = { statements: [statement], environment: { DATABASE_USER: as } };
      return { host, port, connections, ...(this.withoutProxy ? pastTheProxy(byIam) : byIam) };
    }
    // Secret says `secretFullArn?: string | undefined`, ISecret `secretFullArn?: string`.
    const secret = this.secret(as) as secretsmanager.ISecret;
    const byPassword = bySecret(secret, Stack.of(this).region);
    return { host, port, connections, ...(this.withoutProxy ? pastTheProxy(byPassword) : byPassword) };
  }

  /**
   * What a role needs besides to log in past the proxy: nothing where it has a password.
   * `resourceId` names what it logs in to, which by default is the database.
   */
  directLogin(as: DatabaseRole, resourceId?: string): iam.PolicyStatement[] {
    if (this.authentication === 'secrets') return [];
    const statement = statementToLogIn(this, resourceId ?? this.targetResourceId, as);
    statement.sid = 'LogInPastTheProxy';
    return [statement];
  }

  /** What it takes to read the health of the proxy that was made here. */
  get proxyHealth(): { readonly proxyName: string; readonly statement: iam.PolicyStatement } | undefined {
    if (this.proxy === undefined) return undefined;
    const statement = new iam.PolicyStatement({
      sid: 'ReadHealthOfTheProxy',
      actions: ['rds:DescribeDBProxyTargets'],
      resources: [this.proxy.dbProxyArn, this.target.arn, ...unnamedTargets(this, this.target.kind)],
    });
    return { proxyName: this.proxy.dbProxyName, statement };
  }

  /** The secret `{"username", "password"}` of a database role; there is none where functions log in by IAM. */
  secret(role: DatabaseRole): secretsmanager.Secret {
    const secret = this.secrets.get(role);
    if (secret === undefined) throw new Error(`no secret for database role ${role}: it logs in by IAM`);
    return secret;
  }

  /** Database roles that have a secret: all, or, where functions log in by IAM, none. */
  get rolesWithSecret(): readonly DatabaseRole[] {
    return [...this.secrets.keys()];
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
    acknowledge(
      secret,
      'SMG4',
      'Rotation takes a function with rights of its own in the database; a deployer who has one adds it (docs/operations.md).',
    );
    Tags.of(secret).add(DATABASE_ROLE_TAG, role);
    (secret.node.defaultChild as secretsmanager.CfnSecret).addMetadata(DATABASE_ROLE_TAG, role);
    return secret;
  }
}
