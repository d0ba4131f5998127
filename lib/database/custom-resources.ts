import { CustomResource, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cr from 'aws-cdk-lib/custom-resources';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../nag.ts';
import type { DatabaseTarget } from './target.ts';
import { rdsArn } from './unnamed-targets.ts';
import { CUSTOM_RESOURCE } from '../function-bundles.ts';
import { archiverCode } from '../handler-code.ts';

/** Properties of {@link DatabaseCustomResources}. */
export interface DatabaseCustomResourcesProps {
  readonly target: DatabaseTarget;
  /**
   * Processor of the functions.
   *
   * @default lambda.Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;
  /**
   * How long logs are kept.
   *
   * @default logs.RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;
}

/**
 * Custom resources for what CloudFormation cannot do at an existing database, or waits for too long: roles of aws_s3, and
 * the target of the proxy. Their functions call RDS only, and are not in the VPC.
 */
export class DatabaseCustomResources extends Construct {
  readonly target: DatabaseTarget;
  private readonly role: iam.Role;
  private readonly provider: cr.Provider;

  constructor(scope: Construct, id: string, props: DatabaseCustomResourcesProps) {
    super(scope, id);
    this.target = props.target;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = this.handlerRole(logGroup);
    this.allowToLeave();
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    const shared = { architecture, role: this.role, logGroup };
    const onEventHandler = this.handler('OnEvent', 'onEvent', shared);
    const isCompleteHandler = this.handler('IsComplete', 'isComplete', shared);
    this.provider = new cr.Provider(this, 'Provider', {
      onEventHandler,
      isCompleteHandler,
      frameworkOnEventRole: this.frameworkRole('FrameworkOnEventRole', logGroup),
      frameworkCompleteAndTimeoutRole: this.frameworkRole('FrameworkCompleteRole', logGroup),
      // A change takes a minute or two; a database that is being modified, much longer.
      queryInterval: Duration.seconds(15),
      totalTimeout: Duration.minutes(45),
      logGroup,
    });
    this.acknowledge(this.provider, [onEventHandler, isCompleteHandler]);
  }

  /** Makes a custom resource whose handlers may do what the statements allow. */
  resource(
    scope: Construct,
    id: string,
    resourceType: string,
    properties: Readonly<Record<string, string | number>>,
    statements: readonly iam.PolicyStatement[],
  ): CustomResource {
    for (const statement of statements) this.role.addToPolicy(statement);
    const resource = new CustomResource(scope, id, {
      serviceToken: this.provider.serviceToken,
      resourceType,
      properties,
    });
    // Without its rights the handler would fail, and it is called the last time when the resource is deleted.
    resource.node.addDependency(this.role);
    return resource;
  }

  /**
   * An update changes the role before its handlers undo what was done at another database or proxy, which the template does
   * not name any more.
   */
  private allowToLeave(): void {
    const resources = ['cluster', 'db', 'db-proxy', 'target-group'].map((kind) => rdsArn(this, kind));
    acknowledgeWildcards(this, 'A former database or proxy is not in the template any more.', resources);
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'LeaveFormerDatabaseAndProxy',
        actions: [
          'rds:DescribeDBClusters',
          'rds:DescribeDBInstances',
          'rds:RemoveRoleFromDBCluster',
          'rds:RemoveRoleFromDBInstance',
          'rds:DescribeDBProxyTargets',
          'rds:DeregisterDBProxyTargets',
        ],
        resources,
      }),
    );
  }

  private handler(
    id: string,
    handler: string,
    shared: Pick<lambda.FunctionProps, 'architecture' | 'role' | 'logGroup'>,
  ): lambda.Function {
    return new lambda.Function(this, id, {
      ...archiverCode(this),
      description: 'Changes roles of aws_s3 and the target of the proxy',
      handler: `${CUSTOM_RESOURCE}.${handler}`,
      memorySize: 256,
      timeout: Duration.minutes(1),
      ...shared,
      loggingFormat: lambda.LoggingFormat.JSON,
    });
  }

  /** The framework would take a managed policy, which allows to write to every log group. */
  private frameworkRole(id: string, logGroup: logs.LogGroup): iam.Role {
    const role = new iam.Role(this, id, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Framework of the custom resources of the database',
    });
    logGroup.grantWrite(role);
    return role;
  }

  private acknowledge(provider: cr.Provider, handlers: readonly lambda.IFunction[]): void {
    const framework = provider.node.children.filter((child) => child instanceof lambda.Function);
    acknowledgeWildcards(
      this,
      'The framework of the CDK invokes the two handlers, and its state machine the framework, in any version.',
      [...handlers, ...framework].map(({ functionArn }) => `${functionArn}:*`),
    );
    const onlyPolls =
      'The state machine of the framework only polls during a deployment; the handlers log each poll.';
    acknowledge(provider, 'SF1', onlyPolls);
    acknowledge(provider, 'SF2', onlyPolls);
    for (const each of framework) {
      acknowledge(each, 'L1', 'The CDK chooses the runtime of its framework, and keeps it up to date.');
    }
  }

  private handlerRole(logGroup: logs.LogGroup): iam.Role {
    const role = new iam.Role(this, 'HandlerRole', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Changes roles of aws_s3 and the target of the proxy',
    });
    logGroup.grantWrite(role);
    return role;
  }
}
