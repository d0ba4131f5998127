import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { databaseRoles } from '../../../lib/database/roles.ts';
import { deploymentOf, FUNCTION_NAMES } from '../../../lib/functions/function-table.ts';
import { constructId } from '../../../lib/functions/functions.ts';
import { Iam } from '../iam.ts';
import { databaseVariables, exampleConfig, resources, roleStatements, synthesise } from '../synthesise.ts';

const DATABASE_ROLES = databaseRoles(new Set(['aws_s3', 'stream']));
const { database } = exampleConfig() as { database: object };
const byIam = { ...database, authentication: 'iam', resourceId: 'cluster-ABC' };
const verifyEndpoint = { endpoint: 'orders.cluster-ro-abc.eu-central-1.rds.amazonaws.com' };
const partitionSets = [
  { schema: 'public', table: 'orders' },
  { schema: 'public', table: 'event', export: 'stream' },
];
const template = synthesise({ database: { ...byIam, verifyEndpoint }, partitionSets });
const iam = new Iam(template);

const [proxyId = ''] = Object.keys(template.findResources('AWS::RDS::DBProxy'));
const user = (resourceId: string, role: string) =>
  `arn:aws:rds-db:eu-central-1:111122223333:dbuser:${resourceId}/${role}`;
/** Who may log in, by what operators would call it. */
const whoConnects = (resource: string, from = iam): string[] =>
  from.roles
    .filter((role) => from.isAllowed(role, { action: 'rds-db:connect', resource }))
    .map((role) =>
      role
        .replace(/^Archiver(Functions)?/, '')
        .replace(/[0-9A-F]{8}$/, '')
        .replace(/Role$/, ''),
    )
    .sort();
const functionsOf = (role: string): string[] =>
  FUNCTION_NAMES.filter((name) => deploymentOf(name).login === role)
    .map(constructId)
    .sort();

describe('where functions log in by IAM', () => {
  test('there is no password, neither for them nor for the proxy', () => {
    template.resourceCountIs('AWS::SecretsManager::Secret', 0);
    template.hasResourceProperties('AWS::RDS::DBProxy', {
      DefaultAuthScheme: 'IAM_AUTH',
      RequireTLS: true,
      Auth: Match.absent(),
    });
    const actions = JSON.stringify(roleStatements(template));
    expect(actions).not.toContain('secretsmanager');
    expect(Object.keys(template.toJSON()['Outputs'] as object).filter((id) => id.includes('Secret'))).toEqual(
      [],
    );
  });

  test.each(DATABASE_ROLES)('as %s to the proxy only the functions of that role do', (role) => {
    expect(whoConnects(user(`prx-${proxyId}`, role))).toEqual(functionsOf(role));
  });

  test.each(DATABASE_ROLES)(
    'as %s to the database itself only the proxy does, and to read verify and its preflight',
    (role) => {
      const reading = role === 'archiver_read' ? ['Preflight', 'Verification'] : [];
      expect(whoConnects(user('cluster-ABC', role))).toEqual(['DatabaseProxy', ...reading]);
    },
  );

  test('nobody does as an administrator, nor to anything else', () => {
    expect(whoConnects(user('cluster-ABC', 'postgres'))).toEqual([]);
    expect(whoConnects(user(`prx-${proxyId}`, 'postgres'))).toEqual([]);
    for (const role of DATABASE_ROLES) {
      expect(whoConnects(user('cluster-XYZ', role))).toEqual([]);
      expect(whoConnects(user('prx-another', role))).toEqual([]);
    }
  });

  test('each function is told its role instead of a secret', () => {
    for (const variables of databaseVariables(template)) {
      expect(DATABASE_ROLES).toContain(variables['DATABASE_USER']);
      expect(variables).not.toHaveProperty('DATABASE_SECRET_ARN');
    }
  });

  test('no endpoint for Secrets Manager is made', () => {
    const network = {
      ...(exampleConfig() as { network: object }).network,
      createVpcEndpoints: true,
    };
    synthesise({ database: byIam, network }).resourceCountIs('AWS::EC2::VPCEndpoint', 1);
  });
});

test('a proxy that is there already, and a reader with an id of its own, are named in policies by theirs', () => {
  const proxy = {
    endpoint: 'p.proxy-abc.eu-central-1.rds.amazonaws.com',
    resourceId: 'prx-0a1b2c',
    securityGroupIds: ['sg-0a1a2a3a'],
  };
  const reader = { ...verifyEndpoint, resourceId: 'db-REPLICA' };
  const given = new Iam(synthesise({ database: { ...byIam, proxy, verifyEndpoint: reader } }));
  expect(whoConnects(user('prx-0a1b2c', 'archiver_drop'), given)).toEqual(['Drop']);
  expect(whoConnects(user('db-REPLICA', 'archiver_read'), given)).toEqual(['Preflight', 'Verification']);
  expect(whoConnects(user('cluster-ABC', 'archiver_read'), given)).toEqual([]);
});

describe('where an administrator logs in by IAM, too', () => {
  const withAdministrator = synthesise({ database: { ...byIam, adminUser: 'dba' } });
  const given = new Iam(withAdministrator);

  // Seen to fail without `adminUser` in lib/partition-archiver-stack.ts.
  test('only the functions of an administrator do, past the proxy, and as nobody else', () => {
    expect(whoConnects(user('cluster-ABC', 'dba'), given)).toEqual(functionsOf('administrator'));
    expect(functionsOf('administrator')).toEqual(['Administration', 'PrepareDatabase']);
    const [proxy = ''] = Object.keys(withAdministrator.findResources('AWS::RDS::DBProxy'));
    expect(whoConnects(user(`prx-${proxy}`, 'dba'), given)).toEqual([]);
    for (const role of DATABASE_ROLES) {
      expect(whoConnects(user('cluster-ABC', role), given)).not.toContain('PrepareDatabase');
      expect(whoConnects(user(`prx-${proxy}`, role), given)).not.toContain('PrepareDatabase');
    }
  });

  test('the workflows of an administrator are there, without any secret', () => {
    const names = resources(withAdministrator, 'AWS::StepFunctions::StateMachine').map(
      ([, { Properties }]) => Properties['StateMachineName'],
    );
    for (const name of ['PrepareDatabase', 'Inspect', 'PartitionTable'])
      expect(names).toContain(`PartitionArchiver-${name}`);
    expect(JSON.stringify(withAdministrator.toJSON())).not.toContain('secretsmanager');
    const [[, { Properties }] = ['', { Properties: {} }]] = resources(
      withAdministrator,
      'AWS::Lambda::Function',
    ).filter(([id]) => id.startsWith('ArchiverFunctionsPrepareDatabase'));
    expect(Properties['Environment']).toMatchObject({
      Variables: {
        DATABASE_HOST: expect.stringContaining('.cluster-') as unknown,
        DATABASE_USER: 'dba',
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      },
    });
  });
});
