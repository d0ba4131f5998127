import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { DatabaseCustomResources } from './custom-resources.ts';

/** Properties of {@link FeatureRoleAttachments}. */
export interface FeatureRoleAttachmentsProps {
  readonly customResources: DatabaseCustomResources;
  /** Role that the database assumes to write. */
  readonly exportRole: iam.IRole;
  /** Role that the database assumes to read. */
  readonly importRole: iam.IRole;
}

/**
 * Attaches the two roles to the existing database, for which CloudFormation has no resource: one after the other,
 * since RDS is busy with the first until it is active. A role that this stack did not attach is never replaced: the
 * deployment fails and names it. On deletion the roles are detached again if they are still ours.
 */
export class FeatureRoleAttachments extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { customResources, exportRole, importRole }: FeatureRoleAttachmentsProps,
  ) {
    super(scope, id);
    const { kind, identifier, arn } = customResources.target;
    const attach = (feature: 's3Export' | 's3Import', { roleArn }: iam.IRole) =>
      customResources.resource(
        this,
        feature === 's3Export' ? 'Export' : 'Import',
        'Custom::DatabaseFeatureRole',
        { kind, identifier, feature, roleArn },
        [
          new iam.PolicyStatement({
            sid: 'ChangeRolesOfThisDatabase',
            actions: kind === 'cluster' ? ['rds:AddRoleToDBCluster'] : ['rds:AddRoleToDBInstance'],
            resources: [arn],
          }),
          new iam.PolicyStatement({
            sid: `PassTheRoleFor${feature}`,
            actions: ['iam:PassRole'],
            resources: [roleArn],
            conditions: { StringEquals: { 'iam:PassedToService': 'rds.amazonaws.com' } },
          }),
        ],
      );
    attach('s3Import', importRole).node.addDependency(attach('s3Export', exportRole));
  }
}
