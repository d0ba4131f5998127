import { ADMIN_KEY_ARN } from '../example.ts';
import { database, network, type ChangedSetting } from './changed-setting.ts';

const SECURITY_GROUP = 'sg-0123456789abcdef0';
const OTHER_GROUP = 'sg-0123456789abcdef9';
const reader = { endpoint: 'orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com' };
const proxy = {
  endpoint: 'company.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com',
  securityGroupIds: [SECURITY_GROUP],
  resourceId: 'prx-0123456789abcdef0',
};
const resourceId = 'cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const attachedS3Roles = {
  exportRoleArn: 'arn:aws:iam::111122223333:role/export',
  importRoleArn: 'arn:aws:iam::111122223333:role/import',
};
/** By IAM there is no administrator. */
const iam = {
  authentication: 'iam',
  resourceId,
  adminSecretArn: undefined,
  adminSecretKeyArn: undefined,
};
const PREPARE_AGAIN = 'Prepare the database again ([setup.md](setup.md)).';

export const DATABASE_SETTINGS: readonly ChangedSetting[] = [
  {
    settings: ['database.identifier', 'database.endpoint'],
    change: 'another cluster with the same data, such as one that was restored',
    before: {},
    after: database({
      identifier: 'orders-restored',
      endpoint: 'orders-restored.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
    }),
    seen: `The two roles of aws_s3 are attached to the new cluster and detached from the old one, and the proxy gets the new cluster as its target. ${PREPARE_AGAIN} A copied ledger is refused until *UpgradeLedger* has run ([upgrade.md](upgrade.md)).`,
  },
  {
    settings: ['database.kind', 'database.engine'],
    change: '`cluster` → `instance`',
    before: {},
    after: database({
      kind: 'instance',
      identifier: 'legacy',
      endpoint: 'legacy.abcdefghijkl.eu-central-1.rds.amazonaws.com',
    }),
    seen: 'As for another cluster.',
  },
  {
    settings: ['database.port'],
    change: '5432 → 5433',
    before: {},
    after: database({ port: 5433 }),
    seen: 'The rules of the security groups open the new port, then close the old one.',
  },
  {
    settings: ['database.name', 'database.formerNames'],
    change: 'the database was renamed',
    before: {},
    after: database({ name: 'store', formerNames: ['shop'] }),
    seen: 'New archives get the new name in their keys. *UpgradeLedger* runs first ([upgrade.md](upgrade.md)).',
  },
  {
    settings: ['database.securityGroupIds'],
    change: 'two groups, in another order',
    before: database({ securityGroupIds: [SECURITY_GROUP, OTHER_GROUP] }),
    after: database({ securityGroupIds: [OTHER_GROUP, SECURITY_GROUP] }),
    seen: 'Nothing.',
  },
  {
    settings: ['database.securityGroupIds'],
    change: 'the first of two groups is removed',
    before: database({ securityGroupIds: [OTHER_GROUP, SECURITY_GROUP] }),
    after: database({ securityGroupIds: [SECURITY_GROUP] }),
    seen: 'The rules in the removed group are deleted.',
  },
  {
    settings: ['database.allowIngress'],
    change: 'true → false',
    before: {},
    after: database({ allowIngress: false }),
    seen: 'The stack deletes its rules; add those of the output *IngressRules* right after that. Executions fail until then, and resume.',
  },
  {
    settings: [
      'database.proxy.endpoint',
      'database.proxy.port',
      'database.proxy.resourceId',
      'database.proxy.securityGroupIds',
    ],
    change: 'a proxy of the stack → an existing one',
    before: {},
    after: database({ proxy }),
    seen: 'Executions fail until the existing proxy can use the secrets ([operations.md](operations.md#a-proxy-of-your-own)): give them to it first.',
  },
  {
    settings: ['database.proxyPool.maxConnectionsPercent', 'database.proxyPool.borrowTimeoutSeconds'],
    change: 'fewer connections, and a longer wait for them',
    before: {},
    after: database({ proxyPool: { maxConnectionsPercent: 10, borrowTimeoutSeconds: 240 } }),
    seen: 'The proxy closes connections above the new share when they are returned.',
  },
  {
    settings: ['database.proxy'],
    change: 'an existing proxy in the group of the database → `false`',
    before: database({ proxy }),
    after: database({ proxy: false }),
    seen: 'Functions connect directly to the database.',
  },
  {
    settings: ['database.proxy'],
    change: '`false` → a proxy of the stack',
    before: database({ proxy: false }),
    after: {},
    seen: 'RDS takes some minutes to create the proxy. The database needs no preparation.',
  },
  {
    settings: [
      'database.verifyEndpoint.endpoint',
      'database.verifyEndpoint.port',
      'database.verifyEndpoint.securityGroupIds',
    ],
    change: 'none → a reader',
    before: {},
    after: database({ verifyEndpoint: { ...reader, port: 5433, securityGroupIds: [OTHER_GROUP] } }),
    seen: '*Preflight* tries the reader.',
  },
  {
    settings: ['database.verifyEndpoint.securityGroupIds'],
    change: 'a reader behind the group of an existing proxy → none',
    before: database({ proxy, verifyEndpoint: reader }),
    after: database({ proxy }),
    seen: 'Lambda releases the network interfaces of the removed group after 20 to 40 minutes; CloudFormation waits for them at the end.',
  },
  {
    settings: ['database.authentication', 'database.resourceId', 'database.verifyEndpoint.resourceId'],
    change: '`secrets` → `iam`',
    before: database({ verifyEndpoint: reader }),
    after: database({ ...iam, verifyEndpoint: { ...reader, resourceId } }),
    seen: 'Grant `rds_iam` at the time of the deployment ([operations.md](operations.md#without-passwords)). The secrets are deleted after the recovery window.',
  },
  {
    settings: ['database.authentication'],
    change: '`iam` → `secrets`',
    before: database(iam),
    after: {},
    seen: `Revoke \`rds_iam\`. ${PREPARE_AGAIN}`,
  },
  {
    settings: ['database.adminSecretArn', 'database.adminSecretKeyArn'],
    change: 'none → the secret of an administrator',
    before: database({ adminSecretArn: undefined, adminSecretKeyArn: undefined }),
    after: database({ adminSecretKeyArn: ADMIN_KEY_ARN }),
    seen: '*PrepareDatabase*, *Inspect* and *PartitionTable* are there.',
  },
  {
    settings: ['database.adminSecretArn'],
    change: 'the secret of an administrator → none',
    before: {},
    after: database({ adminSecretArn: undefined, adminSecretKeyArn: undefined }),
    seen: 'These three workflows are gone, and with them their executions in the console. A partitioning under way continues by the local command.',
  },
  {
    settings: ['database.adminUser'],
    change: 'with `iam`: none → an administrator who logs in by tokens',
    before: database(iam),
    after: database({ ...iam, adminUser: 'dba' }),
    seen: '*PrepareDatabase*, *Inspect* and *PartitionTable* are there.',
  },
  {
    settings: ['database.attachedS3Roles.exportRoleArn', 'database.attachedS3Roles.importRoleArn'],
    change: 'roles of the stack → attached ones',
    before: {},
    after: database({ attachedS3Roles }),
    seen: 'The stack detaches its roles. Attach yours right after that; exports and restores fail until then.',
  },
  {
    settings: ['database.attachedS3Roles.exportRoleArn', 'database.attachedS3Roles.importRoleArn'],
    change: 'attached roles → roles of the stack',
    before: database({ attachedS3Roles }),
    after: {},
    seen: 'Detach yours first: the deployment fails, and names it, while another role is attached.',
  },
  {
    settings: ['network.availabilityZones', 'network.privateSubnetIds', 'network.privateSubnetRouteTableIds'],
    change: 'other subnets of the same VPC',
    before: {},
    after: network({
      availabilityZones: ['eu-central-1b', 'eu-central-1c'],
      privateSubnetIds: ['subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
      privateSubnetRouteTableIds: ['rtb-0123456789abcdef1', 'rtb-0123456789abcdef2'],
    }),
    seen: 'A new proxy with another name and endpoint. An execution that runs at that moment may fail, and resumes.',
  },
  {
    settings: ['network.vpcId'],
    change: 'another VPC, where the database is now',
    before: network({ createVpcEndpoints: true }),
    after: {
      ...network({
        vpcId: 'vpc-0123456789abcdef9',
        privateSubnetIds: ['subnet-0123456789abcdef8', 'subnet-0123456789abcdef9'],
        privateSubnetRouteTableIds: ['rtb-0123456789abcdef8', 'rtb-0123456789abcdef9'],
        createVpcEndpoints: true,
      }),
      ...database({ securityGroupIds: [OTHER_GROUP] }),
    },
    seen: 'As for other subnets. The old security groups go when Lambda has released their network interfaces.',
  },
  {
    settings: ['network.createVpcEndpoints'],
    change: 'true → false',
    before: network({ createVpcEndpoints: true }),
    after: {},
    seen: 'Every workload of the VPC loses these endpoints ([configuration.md](configuration.md#a-second-database-of-the-vpc)).',
  },
];
