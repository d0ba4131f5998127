import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { securityGroups } from './security-groups.ts';
import { rdsArn } from './unnamed-targets.ts';

/** An existing database, described by what one finds in the RDS console. */
export interface DatabaseTargetProps {
  /** `cluster` for Aurora PostgreSQL, `instance` for RDS for PostgreSQL. */
  readonly kind: 'cluster' | 'instance';
  /** DB cluster identifier, or DB instance identifier. */
  readonly identifier: string;
  /** Host name of the writer endpoint. */
  readonly endpoint: string;
  /**
   * Port of the database.
   *
   * @default 5432
   */
  readonly port?: number;
  /** Name of the database that has the partition sets. */
  readonly databaseName: string;
  /**
   * Names that the database had before it was renamed: archives under them can be read, none is written there, and those of
   * sets with `query` get their Parquet copies there.
   *
   * @default - none
   */
  readonly formerNames?: readonly string[];
  /**
   * Resource id of the cluster or instance (`cluster-ABC…`, `db-ABC…`), by which policies name its users.
   *
   * @default - not known; needed where functions log in by IAM
   */
  readonly resourceId?: string | undefined;
  /** Security groups of the database. */
  readonly securityGroupIds: readonly string[];
  /**
   * Whether rules are added to the security groups of the database, and of a given proxy and reader. Where something else
   * manages all rules of these groups, it would delete them; `ingressRules` of the archiver says which they need.
   *
   * @default true
   */
  readonly allowIngress?: boolean;
}

/** An existing Aurora cluster or RDS instance that is archived. Makes no resources of its own. */
export class DatabaseTarget extends Construct {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly databaseName: string;
  readonly formerNames: readonly string[];
  readonly port: number;
  /** ARN of the cluster or instance. */
  readonly arn: string;
  /** Resource id, where it is known. */
  readonly resourceId: string | undefined;
  /** Host name of the writer endpoint. */
  readonly host: string;
  /** Security groups of the database. */
  readonly connections: ec2.Connections;
  readonly proxyTarget: rds.ProxyTarget;
  /** Whether the stack adds rules to security groups that it did not make. */
  readonly allowIngress: boolean;

  constructor(scope: Construct, id: string, props: DatabaseTargetProps) {
    super(scope, id);
    this.kind = props.kind;
    this.identifier = props.identifier;
    this.databaseName = props.databaseName;
    this.formerNames = props.formerNames ?? [];
    this.resourceId = props.resourceId;
    this.port = props.port ?? 5432;
    this.host = props.endpoint;
    this.allowIngress = props.allowIngress ?? true;
    this.arn = rdsArn(this, props.kind === 'cluster' ? 'cluster' : 'db', props.identifier);
    const groups = securityGroups(this, props.securityGroupIds, this.allowIngress);
    this.connections = new ec2.Connections({ securityGroups: groups });
    this.proxyTarget =
      props.kind === 'cluster'
        ? rds.ProxyTarget.fromCluster(
            rds.DatabaseCluster.fromDatabaseClusterAttributes(this, 'Cluster', {
              clusterIdentifier: props.identifier,
              clusterEndpointAddress: props.endpoint,
              port: this.port,
              securityGroups: groups,
              engine: rds.DatabaseClusterEngine.AURORA_POSTGRESQL,
            }),
          )
        : rds.ProxyTarget.fromInstance(
            rds.DatabaseInstance.fromDatabaseInstanceAttributes(this, 'Instance', {
              instanceIdentifier: props.identifier,
              instanceEndpointAddress: props.endpoint,
              port: this.port,
              securityGroups: groups,
              engine: rds.DatabaseInstanceEngine.POSTGRES,
            }),
          );
  }
}
