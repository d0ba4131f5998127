import * as z from 'zod';
import { endpointProblems, hostName } from './endpoints.ts';
import { identifier, keyArn, matching, problemsBy, validatedWith, wholeNumber } from './fields.ts';

const securityGroupSchema = matching(
  /^sg-[0-9a-f]{8,17}$/,
  'must be the id of a security group such as sg-0123abcd',
);
const roleSchema = matching(/^arn:[\w-]+:iam::\d{12}:role\/.+$/, 'must be the ARN of an IAM role');
const secretSchema = matching(
  /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/,
  'must be the whole ARN of a secret, with the six characters that Secrets Manager adds',
);

const proxySchema = z.strictObject({
  endpoint: hostName.describe('Host name of the proxy.'),
  port: wholeNumber(1, 65_535)
    .default(5432)
    .describe('Port of the proxy. RDS Proxy always uses 5432 for PostgreSQL.'),
  securityGroupIds: z
    .array(securityGroupSchema, 'must be a list of security groups')
    .min(1, 'must name at least one security group')
    .describe('Security groups of the proxy; the stack adds rules that admit the functions.'),
  resourceId: matching(/^prx-[0-9a-z]+$/, 'must be the resource id of a proxy such as prx-0123abcd')
    .optional()
    .describe('Last part of the ARN of the proxy. Required with IAM authentication.'),
});

/** Limits are those of ConnectionPoolConfiguration in the API of RDS; defaults are in the construct DatabaseAccess, too. */
const proxyPoolSchema = z.strictObject({
  maxConnectionsPercent: wholeNumber(1, 100)
    .default(20)
    .describe(
      'Percent of max_connections that the proxy may open, so that the application keeps the others.',
    ),
  borrowTimeoutSeconds: wholeNumber(1, 300)
    .default(120)
    .describe('Seconds that a function waits for a free connection.'),
});

const verifyEndpointSchema = z.strictObject({
  endpoint: hostName.describe(
    'Host name of a reader endpoint, of a read replica, or of the writer, bypassing the proxy.',
  ),
  port: wholeNumber(1, 65_535).optional().describe('Default: the port of the database.'),
  securityGroupIds: z
    .array(securityGroupSchema, 'must be a list of security groups')
    .min(1, 'must name at least one security group')
    .optional()
    .describe(
      'Security groups of the endpoint; the stack adds rules that admit verify. Default: those of the database.',
    ),
  resourceId: matching(
    /^(cluster|db|prx)-[0-9A-Za-z]+$/,
    'must be a resource id such as cluster-ABC123, db-ABC123 or prx-0123abcd',
  )
    .optional()
    .describe('Resource id of the endpoint, with IAM authentication. Default: that of the database.'),
});

const databaseName = identifier.regex(
  /^[\w.-]+$/,
  'must consist of letters, digits, _, . and -, since it is the first part of each S3 key',
);

/** Settings of the database, each by itself. */
export const databaseFields = z.strictObject({
  kind: z
    .enum(['cluster', 'instance'], 'must be cluster (Aurora) or instance (RDS for PostgreSQL)')
    .describe('cluster for Aurora PostgreSQL, instance for RDS for PostgreSQL.'),
  identifier: matching(
    /^(?=.{1,63}$)[a-z](-?[a-z0-9])*$/,
    'must be the identifier of a DB cluster or instance, of letters, digits and single hyphens, in lower case as RDS keeps it',
  ).describe('DB cluster identifier, or DB instance identifier.'),
  endpoint: hostName.describe('Writer endpoint.'),
  port: wholeNumber(1, 65_535).default(5432).describe('Port of the database.'),
  name: databaseName.describe('Database that has the partition sets.'),
  formerNames: z
    .array(databaseName, 'must be a list of names')
    .default([])
    .describe(
      'Names that the database had before it was renamed: archives under them can be read, none is written there, and those of sets with query get their Parquet copies there.',
    ),
  engine: z
    .enum(['aurora-postgresql', 'postgres'], 'must be aurora-postgresql or postgres')
    .optional()
    .describe('Follows from kind; checked if given.'),
  securityGroupIds: z
    .array(securityGroupSchema, 'must be a list of security groups')
    .min(1, 'must name at least one security group')
    .describe('Security groups of the database; the stack adds rules that admit the proxy.'),
  allowIngress: z
    .boolean('must be true or false')
    .default(true)
    .describe(
      'Whether the stack adds rules to the security groups of the database and of an existing proxy and reader. false: the output IngressRules lists the rules that they need.',
    ),
  proxy: z
    .union([z.literal(false), proxySchema], 'must be false, or an object with endpoint and securityGroupIds')
    .optional()
    .describe(
      'An existing RDS Proxy; false to connect directly to the database. Default: a new proxy that requires TLS.',
    ),
  proxyPool: proxyPoolSchema.optional().describe('Connections of a new proxy.'),
  verifyEndpoint: verifyEndpointSchema
    .optional()
    .describe(
      'Endpoint at which verify reads tables, to spare the writer; verify first checks that the export is replayed there. Default: the proxy.',
    ),
  authentication: z
    .enum(['secrets', 'iam'], 'must be secrets or iam')
    .default('secrets')
    .describe(
      'secrets: a generated password for each database role. iam: end-to-end IAM authentication, without any password.',
    ),
  resourceId: matching(
    /^(cluster|db)-[0-9A-Z]+$/,
    'must be a resource id such as cluster-ABC123 or db-ABC123',
  )
    .optional()
    .describe('Resource id of the cluster or instance. Required with IAM authentication.'),
  adminSecretArn: secretSchema
    .optional()
    .describe(
      'Secret {"username", "password"} of an administrator, such as the one that RDS manages. Only the workflows PrepareDatabase, Inspect and PartitionTable use it; without it they are not created.',
    ),
  adminSecretKeyArn: keyArn
    .optional()
    .describe(
      'Your own KMS key that encrypts this secret; the functions of these workflows may then decrypt it. Default: the key that AWS manages.',
    ),
  adminUser: matching(
    /^(?!archiver_)[A-Za-z_][A-Za-z0-9_-]{0,62}$/,
    'must be a role of the database that is none of the archiver, of letters, digits, _ and -',
  )
    .optional()
    .describe(
      'With IAM authentication: an administrator who logs in by tokens, a member of rds_superuser and rds_iam. Only the workflows PrepareDatabase, Inspect and PartitionTable log in as this role; without it they are not created.',
    ),
  attachedS3Roles: z
    .strictObject({ exportRoleArn: roleSchema, importRoleArn: roleSchema })
    .optional()
    .describe(
      'Roles that are already attached to the database for s3Export and s3Import; they get access to the archive. Default: two new roles, which the stack attaches.',
    ),
});

/** What else has to be known, or must not be, of the ways to the database, above all where functions log in by IAM. */
function loginProblems({
  kind,
  authentication,
  resourceId,
  proxy,
  proxyPool,
  adminSecretArn,
  adminSecretKeyArn,
  adminUser,
}: z.output<typeof databaseFields>): [path: string[], message: string][] {
  const problems: [string[], string][] = [];
  const prefix = kind === 'cluster' ? 'cluster-' : 'db-';
  if (resourceId !== undefined && !resourceId.startsWith(prefix)) {
    problems.push([['resourceId'], `must begin with ${prefix} for kind ${kind}`]);
  }
  if (adminSecretKeyArn !== undefined && adminSecretArn === undefined) {
    problems.push([['adminSecretKeyArn'], 'is the key of adminSecretArn, which is not given']);
  }
  if (proxyPool !== undefined && proxy !== undefined) {
    problems.push([['proxyPool'], 'belongs to a proxy that is made here, and proxy says otherwise']);
  }
  if (authentication !== 'iam' && adminUser !== undefined) {
    problems.push([
      ['adminUser'],
      'logs in by IAM, which needs authentication iam; otherwise, adminSecretArn',
    ]);
  }
  if (authentication !== 'iam') return problems;
  if (resourceId === undefined) {
    problems.push([
      ['resourceId'],
      'where functions log in by IAM, it names the database in policies (RDS console, Configuration)',
    ]);
  }
  if (proxy !== undefined && proxy !== false && proxy.resourceId === undefined) {
    problems.push([
      ['proxy', 'resourceId'],
      'where functions log in by IAM, it names the proxy in policies (the last part of its ARN)',
    ]);
  }
  if (adminSecretArn !== undefined) {
    const message =
      'cannot be used with authentication iam: RDS takes no password of an administrator who is a member of the roles; give adminUser';
    problems.push([['adminSecretArn'], message]);
  }
  return problems;
}

/** The existing database, and the ways into it. */
export const databaseSchema = databaseFields
  .superRefine(problemsBy(endpointProblems), validatedWith('kind', 'identifier', 'endpoint', 'proxy'))
  .superRefine(
    ({ name, formerNames }, context) => {
      formerNames.forEach((former, index) => {
        if (former !== name && formerNames.indexOf(former) === index) return;
        const message = 'must be a name that the database had before, each once';
        context.addIssue({ code: 'custom', path: ['formerNames', index], message });
      });
    },
    validatedWith('name', 'formerNames'),
  )
  .superRefine(
    (database, context) => {
      const expected = database.kind === 'cluster' ? 'aurora-postgresql' : 'postgres';
      if (database.engine !== undefined && database.engine !== expected) {
        const message = `must be ${expected} for kind ${database.kind}`;
        context.addIssue({ code: 'custom', path: ['engine'], message });
      }
    },
    validatedWith('kind', 'engine'),
  )
  .superRefine(
    problemsBy(loginProblems),
    validatedWith(
      'kind',
      'authentication',
      'resourceId',
      'proxy',
      'proxyPool',
      'adminSecretArn',
      'adminSecretKeyArn',
      'adminUser',
    ),
  );
