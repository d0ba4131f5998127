import { RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeWildcards, wildcardsOf } from '../nag.ts';
import { exportWays } from '../../core/config/partition-set.ts';
import type { RuntimeConfig } from '../../core/config/runtime.ts';
import type { ArchiveBucket } from '../storage/archive-bucket.ts';
import { bucketStatements } from './bucket-statements.ts';
import type { DatabaseAccess } from '../database/access.ts';
import { TARGETS_HAVE_NO_NAME } from '../database/unnamed-targets.ts';
import {
  allowConnections,
  groupOfFunctions,
  securityGroups,
  type IngressRule,
} from '../database/security-groups.ts';
import { HEAP_FOR_STREAMS, namesEnvironment, verifyEnvironment, type VerifyEndpoint } from './environment.ts';
import { glueStatements, networkInterfacePolicy, readPasswords } from './function-statements.ts';
import { archiverCode } from '../handler-code.ts';
import type { Login, StepFunction } from './step-function.ts';
import type { Step } from './steps.ts';
import { WorkflowFunction } from './workflow-function.ts';
import { deploymentOf, FUNCTION_NAMES, placeOf, servedSteps, type FunctionName } from './function-table.ts';

export type { VerifyEndpoint } from './environment.ts';

/** Properties of {@link ArchiverFunctions}. */
export interface ArchiverFunctionsProps {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets: ec2.SubnetSelection;
  readonly database: DatabaseAccess;
  /**
   * Where `verify` reads tables. Whatever it writes goes through the proxy all the same.
   *
   * @default - through the proxy, at the writer
   */
  readonly verifyEndpoint?: VerifyEndpoint;
  readonly archive: ArchiveBucket;
  /** What the steps know at run time: states pass it to their steps, and the functions themselves have none of it. */
  readonly config: RuntimeConfig;
  /** What metrics and logs of this archiver are told by from those of others. */
  readonly archiver: string;
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
 * One Lambda function for each set of rights, each with a role and a log group of its own, and with the secret of just its
 * login. function-table.ts says which steps a function runs.
 * Those that have a login are in the VPC, in one of three security groups.
 */
export class ArchiverFunctions extends Construct {
  /** Name of the archiver, by which its metrics, logs and names are known. */
  readonly archiver: string;
  readonly databaseName: string;
  /** What the steps know at run time. */
  readonly config: RuntimeConfig;
  /** What the security groups that functions connect to need; several functions share a rule. */
  readonly ingressRules: IngressRule[] = [];
  /** Log groups of all functions. */
  readonly logGroups: readonly logs.ILogGroup[];
  private readonly securityGroups = new Map<string, ec2.SecurityGroup>();
  private readonly functions: ReadonlyMap<FunctionName, lambda.Function>;
  private readonly aliases = new Map<string, lambda.Alias>();
  private readonly networkInterfaces: iam.ManagedPolicy;
  private readonly verifyGroups: readonly ec2.ISecurityGroup[];

  constructor(scope: Construct, id: string, props: ArchiverFunctionsProps) {
    super(scope, id);
    this.archiver = props.archiver;
    this.databaseName = props.database.databaseName;
    this.config = props.config;
    this.networkInterfaces = networkInterfacePolicy(this);
    const readers = props.verifyEndpoint?.securityGroupIds ?? [];
    this.verifyGroups = securityGroups(this, readers, props.database.allowIngress);
    const logGroups: logs.ILogGroup[] = [];
    this.logGroups = logGroups;
    this.functions = new Map(
      FUNCTION_NAMES.filter((name) => this.isMade(deploymentOf(name), props)).map((name) => [
        name,
        this.makeFunction(name, deploymentOf(name), logGroups, props),
      ]),
    );
  }

  /** What runs a step: a function, or the alias of one that only some workflows may ask for this step. */
  get(step: Step): lambda.IFunction {
    const { name, alias } = placeOf(step);
    const found = this.functions.get(name);
    if (found === undefined) throw new Error(`step ${step} has no function: no setting needs it`);
    // The class declares a role that may be undefined, and the interface one that may be absent.
    return alias === undefined ? found : (this.aliasOf(name, found, alias) as lambda.IFunction);
  }

  /** Whether there is a function for this step. */
  has(step: Step): boolean {
    return this.functions.has(placeOf(step).name);
  }

  /** An alias of what was deployed last: it stands for a right to invoke, not for a version. */
  private aliasOf(name: FunctionName, of: lambda.Function, aliasName: string): lambda.Alias {
    const id = `${constructId(name)}For${constructId(aliasName)}`;
    const known = this.aliases.get(id);
    if (known !== undefined) return known;
    const made = new lambda.Alias(this, id, { aliasName, version: of.latestVersion });
    this.aliases.set(id, made);
    return made;
  }

  /** Functions of an administrator are made only where there is a secret. */
  private isMade(
    { login, exports: way, converts = false, catalog = false }: StepFunction,
    { database, config }: ArchiverFunctionsProps,
  ): boolean {
    if (way !== undefined && !exportWays(config.partitionSets).has(way)) return false;
    if (catalog && config.glueDatabase === undefined) return false;
    if ((converts || catalog) && !config.partitionSets.some(({ query }) => query)) return false;
    return login === 'none' || database.login(login) !== undefined;
  }

  /** The functions of all steps. */
  get all(): lambda.Function[] {
    return [...this.functions.values()];
  }

  /** Roles of all functions. */
  get roles(): iam.IRole[] {
    return this.all.flatMap((each) => (each.role === undefined ? [] : [each.role]));
  }

  private makeFunction(
    name: FunctionName,
    {
      description,
      login: as,
      bucketAccess,
      timeout,
      memoryMiB,
      reads,
      installs = false,
      readsProxyHealth = false,
      diskMiB,
      catalog = false,
    }: StepFunction,
    logGroups: logs.ILogGroup[],
    { vpc, vpcSubnets, database, archive, ...props }: ArchiverFunctionsProps,
  ): lambda.Function {
    const id = constructId(name);
    const reading = reads === true ? props.verifyEndpoint : undefined;
    const health = readsProxyHealth ? database.proxyHealth : undefined;
    const logGroup = new logs.LogGroup(this, `${id}Logs`, {
      retention: props.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroups.push(logGroup);
    const securityGroup = as === 'none' ? undefined : this.securityGroupFor(as, reading, vpc);
    const login = as === 'none' ? undefined : database.login(as);
    const passwords = (installs ? database.rolesWithSecret : []).map(
      (each) => [each, database.secret(each)] as const,
    );
    const role = new iam.Role(this, `${id}Role`, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Partition archiver, ${name}`,
    });
    const archiveStatements = bucketStatements(bucketAccess, archive, database, props.config.objectLock);
    acknowledgeWildcards(role, 'Traces know no resources.', ['*']);
    acknowledgeWildcards(role, TARGETS_HAVE_NO_NAME, wildcardsOf(health?.statement));
    acknowledgeWildcards(
      role,
      'Objects are named after schemas, tables and periods; the folder is what the step is limited to.',
      wildcardsOf(...archiveStatements),
    );
    for (const statement of [
      ...(health === undefined ? [] : [health.statement]),
      ...(login?.statements ?? []),
      ...(reading === undefined ? [] : database.directLogin('archiver_read', reading.resourceId)),
      ...(passwords.length > 0 ? [readPasswords(passwords.map(([, { secretArn }]) => secretArn))] : []),
      ...archiveStatements,
      ...(catalog ? glueStatements(this, props.config.glueDatabase) : []),
    ]) {
      role.addToPolicy(statement);
    }
    logGroup.grantWrite(role);
    if (securityGroup !== undefined) role.addManagedPolicy(this.networkInterfaces);

    const created = new WorkflowFunction(this, id, {
      ...archiverCode(this),
      description,
      handler: `${name}.handler`,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      memorySize: memoryMiB,
      timeout,
      ...(diskMiB === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(diskMiB) }),
      role,
      ...(securityGroup === undefined ? {} : { vpc, vpcSubnets, securityGroups: [securityGroup] }),
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      systemLogLevelV2: lambda.SystemLogLevel.WARN,
      applicationLogLevelV2: lambda.ApplicationLogLevel.INFO,
      tracing: lambda.Tracing.ACTIVE,
      environment: {
        ...HEAP_FOR_STREAMS,
        STEPS: servedSteps(name),
        ARCHIVER: props.archiver,
        ...namesEnvironment(database),
        ...(login !== undefined && {
          DATABASE_HOST: login.host,
          DATABASE_PORT: String(login.port),
          ...login.environment,
        }),
        ARCHIVE_BUCKET: archive.bucket.bucketName,
        ARCHIVE_BUCKET_OWNER: Stack.of(this).account,
        ...Object.fromEntries(
          passwords.map(([each, { secretArn }]) => [`${each.toUpperCase()}_SECRET_ARN`, secretArn]),
        ),
        ...(reading === undefined ? {} : verifyEnvironment(reading)),
        ...(health === undefined ? {} : { PROXY_NAME: health.proxyName }),
      },
    });
    if (securityGroup !== undefined) {
      const allow = (to: readonly ec2.ISecurityGroup[], port: number): void =>
        void this.ingressRules.push(...allowConnections(securityGroup, to, port));
      if (login !== undefined) allow(login.connections.securityGroups, login.port);
      if (reading !== undefined) allow(this.verifyGroups, reading.port);
    }
    return created;
  }

  /**
   * Functions that reach the same ports share a security group: Lambda makes a network interface for each group and subnet,
   * of which a VPC has few. Who may do what is decided by the login, not by the network.
   */
  private securityGroupFor(
    as: Exclude<Login, 'none'>,
    reading: VerifyEndpoint | undefined,
    vpc: ec2.IVpc,
  ): ec2.SecurityGroup {
    const id = as === 'administrator' ? 'Administrator' : reading === undefined ? 'Database' : 'Reading';
    const known = this.securityGroups.get(id);
    if (known !== undefined) return known;
    const securityGroup = groupOfFunctions(this, id, vpc);
    this.securityGroups.set(id, securityGroup);
    return securityGroup;
  }
}

/** `record-failure` → `RecordFailure`. */
export function constructId(step: string): string {
  return step.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
