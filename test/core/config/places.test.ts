import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseDeploymentConfig } from '../../../core/config/deployment.ts';
import { describeProblem } from '../../../core/config/problems.ts';

const EXAMPLE = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../partition-archiver.example.json'), 'utf8'),
) as { readonly database: object; readonly env: object };

/** What is wrong with the example file once some settings are replaced; `undefined` leaves one out. */
function problemsWith(changes: object): string[] {
  const parsed = parseDeploymentConfig(JSON.parse(JSON.stringify({ ...EXAMPLE, ...changes })));
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

const inDatabase = (changes: object) => ({ database: { ...EXAMPLE.database, ...changes } });
const securityGroupIds = ['sg-0123456789abcdef0'];
const host = (start: string, region = 'eu-central-1') => `${start}.${region}.rds.amazonaws.com`;
const keyIn = (region: string) => `arn:aws:kms:${region}:111122223333:key/abc-1`;
const topicIn = (region: string) => `arn:aws:sns:${region}:111122223333:dba`;
const secretIn = (region: string) => `arn:aws:secretsmanager:${region}:111122223333:secret:dba-AbCdEf`;
const roleOf = (account: string) => `arn:aws:iam::${account}:role/export`;

// Each was synthesised, and failed in the deployment or, the endpoints, in the first run. Seen to fail without the rule of each.
describe('refused before the deployment is', () => {
  test.each<[string, object, RegExp]>([
    ['a URL', inDatabase({ endpoint: 'postgresql://orders' }), /^database.endpoint: .*without a scheme/],
    ['a port', inDatabase({ endpoint: 'orders:5432' }), /^database.endpoint: "orders:5432" .*a port/],
    [
      'a reader as the writer',
      inDatabase({ endpoint: host('orders.cluster-ro-abc') }),
      /^database.endpoint: .*must be the endpoint of the writer of the cluster orders, .*verifyEndpoint/,
    ],
    [
      'an instance of the cluster, which may become a reader',
      inDatabase({ endpoint: host('orders-1.abc') }),
      /^database.endpoint: .*which begins with orders\.cluster-/,
    ],
    [
      'the endpoint of another cluster',
      inDatabase({ endpoint: host('billing.cluster-abc') }),
      /^database.endpoint: .*which begins with orders\.cluster-/,
    ],
    [
      'a cluster as an instance',
      inDatabase({ kind: 'instance' }),
      /^database.endpoint: .*must be the endpoint of the instance orders, which begins with orders\., /,
    ],
    [
      'the database as its proxy',
      inDatabase({ proxy: { endpoint: host('orders.cluster-abc'), securityGroupIds } }),
      /^database.proxy.endpoint: .*must be the endpoint of an RDS Proxy/,
    ],
    [
      'a database of another Region',
      { env: { ...EXAMPLE.env, region: 'eu-west-1' } },
      /^database.endpoint: .*must be in the Region eu-west-1, which env.region says, and is in eu-central-1$/,
    ],
    [
      'a proxy of another Region',
      inDatabase({ proxy: { endpoint: host('shop.proxy-abc', 'eu-west-1'), securityGroupIds } }),
      /^database.proxy.endpoint: .*must be in the Region eu-central-1/,
    ],
    [
      'a reader of another Region',
      inDatabase({ verifyEndpoint: { endpoint: host('orders.cluster-ro-abc', 'eu-west-1') } }),
      /^database.verifyEndpoint.endpoint: .*must be in the Region eu-central-1/,
    ],
    [
      'a secret of another Region than the database, without env',
      { env: undefined, ...inDatabase({ adminSecretArn: secretIn('eu-west-1') }) },
      /^database.adminSecretArn: .*must be in the Region eu-central-1, which database.endpoint says/,
    ],
    [
      'a key of another Region',
      { archive: { keyArn: keyIn('eu-west-1') } },
      /^archive.keyArn: .*must be in the Region eu-central-1/,
    ],
    [
      'a former key of another Region',
      { archive: { formerKeyArns: [keyIn('eu-central-1'), keyIn('eu-west-1')] } },
      /^archive.formerKeyArns\[1\]: .*must be in the Region eu-central-1/,
    ],
    [
      'the key of a bucket in another Region',
      { archive: { bucket: { name: 'company-archive', keyArn: keyIn('eu-west-1') } } },
      /^archive.bucket.keyArn: .*must be in the Region eu-central-1/,
    ],
    [
      'a topic of another Region',
      { alarms: { pageTopicArn: topicIn('eu-west-1') } },
      /^alarms.pageTopicArn: .*must be in the Region eu-central-1/,
    ],
    [
      'a role of another account',
      inDatabase({
        attachedS3Roles: { exportRoleArn: roleOf('999922223333'), importRoleArn: roleOf('111122223333') },
      }),
      /^database.attachedS3Roles.exportRoleArn: .*must be a role of the account 111122223333/,
    ],
    [
      'an identifier that RDS has of no database',
      inDatabase({ identifier: 'orders--1', endpoint: 'orders.example' }),
      /^database.identifier: "orders--1" .*single hyphens/,
    ],
    [
      'a former name that is the present one',
      inDatabase({ formerNames: ['store', 'shop'] }),
      /^database.formerNames\[1\]: "shop" .*had before/,
    ],
    [
      'a bucket with two dots',
      { archive: { bucket: { name: 'a..b', keyArn: keyIn('eu-central-1') } } },
      /^archive.bucket.name: "a\.\.b" .*single dots/,
    ],
    [
      'an address twice',
      { notificationEmails: ['dba@example.com', 'dba@example.com'] },
      /^notificationEmails: .*must not name an address twice/,
    ],
    ['a tag without a key', { tags: { '': 'x' } }, /^tags\.: "x" .*key of 1 to 128 characters/],
    ['a long tag', { tags: { team: 'x'.repeat(257) } }, /^tags.team: .*at most 256 characters long/],
    ['a tag that IAM refuses', { tags: { team: 'R&D' } }, /^tags.team: "R&D" .*must consist of letters/],
    ['a tag in two cases', { tags: { Team: 'a', team: 'b' } }, /^tags.team: "b" .*is the tag Team in an/],
    [
      'more tags than AWS takes',
      { tags: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, 'x'])) },
      /^tags: .*must be at most 49 tags/,
    ],
  ])('%s', (_, changes, problem) => {
    expect(problemsWith(changes)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('accepted are', () => {
  test.each<[string, object]>([
    ['a name of one’s own for the database', inDatabase({ endpoint: 'orders-db.shop.internal' })],
    [
      'the writer of a global database',
      inDatabase({ endpoint: 'shop.global-abc.global.rds.amazonaws.com', verifyEndpoint: undefined }),
    ],
    [
      'an instance, and its proxy and replica',
      inDatabase({
        kind: 'instance',
        endpoint: host('orders.abc'),
        proxy: { endpoint: host('shop.proxy-abc'), securityGroupIds },
        verifyEndpoint: { endpoint: host('orders-replica.abc') },
      }),
    ],
    [
      'everything in the Region of the file',
      {
        ...inDatabase({ adminSecretArn: secretIn('eu-central-1'), adminSecretKeyArn: keyIn('eu-central-1') }),
        archive: { keyArn: keyIn('eu-central-1') },
        alarms: { topicArn: topicIn('eu-central-1') },
      },
    ],
    ['a Region that only the credentials have', { env: undefined, ...inDatabase({ endpoint: 'orders' }) }],
    ['tags in other languages', { tags: { 'cost:Größe': 'Köln / @dba = 1+1' } }],
  ])('%s', (_, changes) => {
    expect(problemsWith(changes)).toEqual([]);
  });

  // Seen to fail where a Region of a wrong form was compared with the others.
  test('no further mistakes because of a Region that is none', () => {
    expect(problemsWith({ env: { ...EXAMPLE.env, region: 'eu-central-1a' } })).toHaveLength(1);
  });
});
