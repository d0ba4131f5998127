import { CustomResource, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cr from 'aws-cdk-lib/custom-resources';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from './acknowledge.ts';
import type { DatabaseTarget } from './database-target.ts';
import { handlerCode } from './handler-code.ts';

/** Properties of {@link FeatureRoleAttachments}. */
export interface FeatureRoleAttachmentsProps {
  readonly target: DatabaseTarget;
  /** Role that the database assumes to write. */
  readonly exportRole: iam.IRole;
  /** Role that the database assumes to read. */
  readonly importRole: iam.IRole;
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
 * Attaches the two roles to the existing database, for which CloudFormation has no resource: one after the other,
 * since RDS is busy with the first until it is active. A role that somebody else attached is never replaced: the
 * deployment fails and names it. On deletion the roles are detached again if they are still ours.
 */
export class FeatureRoleAttachments extends Construct {
  constructor(scope: Construct, id: string, props: FeatureRoleAttachmentsProps) {
    super(scope, id);
    const { target, exportRole, importRole } = props;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = this.handlerRole(props, logGroup);
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;
    const shared = { architecture, role, logGroup };
    const onEventHandler = this.handler('OnEvent', 'onEvent', shared);
    const isCompleteHandler = this.handler('IsComplete', 'isComplete', shared);
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler,
      isCompleteHandler,
      frameworkOnEventRole: this.frameworkRole('FrameworkOnEventRole', logGroup),
      frameworkCompleteAndTimeoutRole: this.frameworkRole('FrameworkCompleteRole', logGroup),
      // Attaching takes a minute or two; a database that is being modified, much longer.
      queryInterval: Duration.seconds(15),
      totalTimeout: Duration.minutes(45),
      logGroup,
    });
    this.acknowledge(provider, [onEventHandler, isCompleteHandler]);
    const attach = (feature: 's3Export' | 's3Import', { roleArn }: iam.IRole): CustomResource =>
      new CustomResource(this, feature === 's3Export' ? 'Export' : 'Import', {
        serviceToken: provider.serviceToken,
        resourceType: 'Custom::DatabaseFeatureRole',
        properties: { kind: target.kind, identifier: target.identifier, feature, roleArn },
      });
    attach('s3Import', importRole).node.addDependency(attach('s3Export', exportRole));
  }

  private handler(
    id: string,
    handler: string,
    shared: Pick<lambda.FunctionProps, 'architecture' | 'role' | 'logGroup'>,
  ): lambda.Function {
    return new lambda.Function(this, id, {
      ...handlerCode(this, 'attach-feature-role'),
      description: 'Attaches the roles of aws_s3 to the database',
      handler: `index.${handler}`,
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
      description: 'Framework of the custom resource that attaches the roles of aws_s3',
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

  private handlerRole(
    { target, exportRole, importRole }: FeatureRoleAttachmentsProps,
    logGroup: logs.LogGroup,
  ): iam.Role {
    const role = new iam.Role(this, 'HandlerRole', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Attaches the roles of aws_s3 to the database',
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'ChangeRolesOfThisDatabase',
        actions:
          target.kind === 'cluster'
            ? ['rds:DescribeDBClusters', 'rds:AddRoleToDBCluster', 'rds:RemoveRoleFromDBCluster']
            : ['rds:DescribeDBInstances', 'rds:AddRoleToDBInstance', 'rds:RemoveRoleFromDBInstance'],
        resources: [target.arn],
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'PassTheTwoRoles',
        actions: ['iam:PassRole'],
        resources: [exportRole.roleArn, importRole.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'rds.amazonaws.com' } },
      }),
    );
    logGroup.grantWrite(role);
    return role;
  }
}
