import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../nag.ts';
import type { ArchiveBucket } from '../storage/archive-bucket.ts';
import { archiverName, physicalName } from '../physical-name.ts';
import { keyStatements, prefixes } from '../functions/bucket-statements.ts';
import type { DatabaseCustomResources } from './custom-resources.ts';
import type { DatabaseTarget } from './target.ts';
import { FeatureRoleAttachments } from './feature-role-attachments.ts';

type Direction = 'Export' | 'Import';

/** Properties of {@link DatabaseS3Roles}. */
export interface DatabaseS3RolesProps {
  readonly archive: ArchiveBucket;
  readonly target: DatabaseTarget;
  /**
   * Roles that are attached to the database already. They are let into the archive, and not attached. A database has
   * one role for each direction, so a second archiver on the same cluster has to use those of the first.
   *
   * @default - two new roles, which are attached
   */
  readonly attachedRoles?: { readonly exportRole: iam.IRole; readonly importRole: iam.IRole };
  /** What attaches new roles. */
  readonly customResources: () => DatabaseCustomResources;
}

/**
 * The two roles that the database itself assumes for aws_s3. PostgreSQL wants one for each direction.
 *
 * The export role can only add data objects, the import role only read them; neither can do anything else, and only
 * this very database can assume them.
 */
export class DatabaseS3Roles extends Construct {
  readonly exportRole: iam.IRole;
  readonly importRole: iam.IRole;

  constructor(scope: Construct, id: string, props: DatabaseS3RolesProps) {
    super(scope, id);
    const { bucket } = props.archive;
    const { databaseName, formerNames } = props.target;
    const names = [databaseName, ...formerNames];
    const data = bucket.arnForObjects(`${databaseName}/*/data/*`);
    const readable = names.map((name) => bucket.arnForObjects(`${name}/*/data/*`));

    this.exportRole =
      props.attachedRoles?.exportRole ??
      this.roleFor(props.target, 'Export', 'Lets the database write segments by aws_s3');
    const toWrite = new iam.PolicyStatement({
      sid: 'WriteSegments',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [data],
    });
    // A multipart upload needs Decrypt beside GenerateDataKey, even of one part.
    const toEncrypt = keyStatements(props.archive, ['kms:GenerateDataKey', 'kms:Decrypt']);
    this.allow('Export', this.exportRole, [toWrite, ...toEncrypt]);

    this.importRole =
      props.attachedRoles?.importRole ??
      this.roleFor(props.target, 'Import', 'Lets the database read segments back by aws_s3');
    const toRead = new iam.PolicyStatement({
      sid: 'ReadSegments',
      actions: ['s3:GetObject'],
      resources: readable,
    });
    const toFind = new iam.PolicyStatement({
      sid: 'FindSegments',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': prefixes(names) } },
    });
    this.allow('Import', this.importRole, [toRead, toFind, ...keyStatements(props.archive, ['kms:Decrypt'])]);

    acknowledgeWildcards(
      this,
      'Segments are named after tables and periods; the roles are limited to them.',
      readable,
    );
    if (props.attachedRoles === undefined) {
      new FeatureRoleAttachments(this, 'Attachments', {
        customResources: props.customResources(),
        exportRole: this.exportRole,
        importRole: this.importRole,
      });
    }
  }

  private roleFor(target: DatabaseTarget, direction: Direction, description: string): iam.Role {
    return new iam.Role(this, `${direction}Role`, {
      description,
      // Without these conditions another account's database could be made to use the role (confused deputy).
      assumedBy: new iam.ServicePrincipal('rds.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnEquals: { 'aws:SourceArn': target.arn },
        },
      }),
    });
  }

  /**
   * A given role has a policy of this archiver's own. By the name that the CDK gives it, the path of the stack or not even that,
   * the policy of another archiver of the same role would be written over: in the same app, or in another Region, since IAM
   * has no Regions.
   */
  private allow(direction: Direction, role: iam.IRole, statements: iam.PolicyStatement[]): void {
    if (role.node.scope === this) {
      for (const statement of statements) role.addToPrincipalPolicy(statement);
      return;
    }
    const policyName = `${physicalName(archiverName(this), direction, 100)}-${Stack.of(this).region}`;
    // The role takes the policy, or not: one that is imported with `mutable: false` has its policies from elsewhere.
    role.attachInlinePolicy(new iam.Policy(this, `${direction}Rights`, { policyName, statements }));
  }
}
