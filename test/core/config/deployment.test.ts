import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deploymentJsonSchema, parseDeploymentConfig } from '../../../core/config/deployment.ts';
import { describeProblem } from '../../../core/config/problems.ts';

const ROOT = join(import.meta.dirname, '../../..');
const EXAMPLE = JSON.parse(readFileSync(join(ROOT, 'partition-archiver.example.json'), 'utf8')) as object;

/** What is wrong with the example file once some settings are replaced; `undefined` leaves one out. */
function problemsWith(changes: object): string[] {
  const parsed = parseDeploymentConfig(JSON.parse(JSON.stringify({ ...EXAMPLE, ...changes })));
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

describe('a deployment file', () => {
  test('like the example is right, and can no longer be changed', () => {
    const parsed = parseDeploymentConfig(EXAMPLE);
    if (!parsed.ok) throw new Error(parsed.problems.map(describeProblem).join('\n'));
    expect(parsed.config.stackName).toBe('PartitionArchiver');
    expect(Object.isFrozen(parsed.config.partitionSets[0])).toBe(true);
    expect(Object.isFrozen(parsed.config.database.securityGroupIds)).toBe(true);
  });

  // Seen to fail with "drop": true in the example: a copy of it dropped from the first run on.
  test('like the example drops nothing', () => {
    const parsed = parseDeploymentConfig(EXAMPLE);
    if (!parsed.ok) throw new Error('the example is wrong');
    expect(parsed.config.partitionSets.map(({ drop }) => drop)).toEqual([false, false]);
  });

  // Seen to fail without the rule on proxyPool, and without limits.
  test('has a pool of connections for a proxy that is made here, within what RDS takes', () => {
    const database = (changes: object) => ({
      database: { ...(EXAMPLE as { database: object }).database, ...changes },
    });
    const proxyPool = { maxConnectionsPercent: 1, borrowTimeoutSeconds: 300 };
    expect(problemsWith(database({ proxyPool }))).toEqual([]);
    expect(problemsWith(database({ proxyPool, proxy: false }))).toEqual([
      expect.stringMatching(/^database.proxyPool: .*belongs to a proxy that is made here/),
    ]);
    const outside = { maxConnectionsPercent: 101, borrowTimeoutSeconds: 0 };
    expect(problemsWith(database({ proxyPool: outside }))).toEqual([
      expect.stringMatching(/^database.proxyPool.maxConnectionsPercent: 101 .* 1 to 100/),
      expect.stringMatching(/^database.proxyPool.borrowTimeoutSeconds: 0 .* 1 to 300/),
    ]);
    expect(problemsWith({ schedule: { windowMinutes: 241 } })).toEqual([
      expect.stringMatching(/^schedule.windowMinutes: 241 .* 0 to 240/),
    ]);
  });

  test('needs little: the rest has defaults', () => {
    const { database, network } = EXAMPLE as Record<string, unknown>;
    const parsed = parseDeploymentConfig({
      database,
      network,
      partitionSets: [{ schema: 'public', table: 'orders' }],
    });
    expect(parsed).toMatchObject({
      ok: true,
      config: {
        stackName: 'PartitionArchiver',
        partitionSets: [{ drop: false, graceDays: 7, segmentSizeMiB: 1024, timeZone: 'UTC', query: false }],
        concurrency: { partitions: 2, segments: 2 },
        schedule: { timeZone: 'UTC', archive: 'cron(0 3 1 * ? *)' },
        architecture: 'arm64',
        logRetentionDays: 90,
        notificationEmails: [],
        archive: { tiers: {}, accessLogs: true, dataEvents: false },
        alarms: {
          overdueDays: 40,
          futurePartitions: 1,
          missedRunDays: 2,
          missedArchiveRunDays: 40,
          missedDrillDays: 40,
        },
      },
    });
  });

  // Each would fail only when it is deployed, or, for the last one, page for ever. Seen to fail without the rule of each.
  test('is refused before the deployment where CloudFormation or an alarm would fail later', () => {
    const { database, network } = EXAMPLE as { database: object; network: object };
    const subnet = 'subnet-0123456789abcdef0';
    const weekly = { inventory: 'cron(0 1 ? * SUN *)', drop: 'cron(0 5 ? * SUN *)' };
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ tags: { 'aws:owner': 'dba' } }, /^tags: .*must have no tag that begins with aws:/],
      [
        { network: { ...network, privateSubnetIds: [subnet, subnet] } },
        /^network.privateSubnetIds: .*must not name a subnet twice/,
      ],
      [
        { network: { ...network, availabilityZones: ['eu-central-1a', 'eu-central-1a'] } },
        /^network.availabilityZones: .*must not name an availability zone twice/,
      ],
      [{ database: { ...database, identifier: 'Orders' } }, /^database.identifier: "Orders" .*in lower case/],
      [{ schedule: { archive: 'cron(99 3 1 * ? *)' } }, /^schedule.archive: "cron\(99 3 1 \* \? \*\)" /],
      [{ schedule: weekly }, /^alarms.missedRunDays: 2 .*must be at least 8/],
      [
        { schedule: { archive: 'cron(0 3 1 */3 ? *)' } },
        /^alarms.missedArchiveRunDays: 40 .*must be at least 93/,
      ],
      [{ schedule: { audit: 'cron(0 3 1 1,7 ? *)' } }, /^alarms.missedAuditDays: 40 .*must be at least 185/],
      [{ drill: { schedule: 'rate(60 days)' } }, /^alarms.missedDrillDays: 40 .*must be at least 61/],
    ];
    for (const [changes, problem] of wrong) {
      expect(problemsWith(changes)).toEqual([expect.stringMatching(problem)]);
    }
  });

  // Seen to fail without the rule, and with one that asks for two subnets always.
  test('names two subnets where the stack makes a proxy, and otherwise one', () => {
    const { database, network } = EXAMPLE as { database: object; network: object };
    const one = {
      network: {
        ...network,
        availabilityZones: ['eu-central-1a'],
        privateSubnetIds: ['subnet-0123456789abcdef0'],
        privateSubnetRouteTableIds: ['rtb-0123456789abcdef0'],
      },
    };
    expect(problemsWith(one)).toEqual([
      expect.stringMatching(
        /^network.privateSubnetIds: .*must name at least two subnets, since a new RDS Proxy/,
      ),
    ]);
    const proxy = { endpoint: 'shop.proxy-abc.example', securityGroupIds: ['sg-0123456789abcdef0'] };
    for (const other of [false, proxy]) {
      expect(
        parseDeploymentConfig({ ...EXAMPLE, ...one, database: { ...database, proxy: other } }),
      ).toMatchObject({
        ok: true,
      });
    }
  });

  // Seen to fail for the isolated Regions before. us-gov-west-1 is in the domain.
  test.each([
    ['in China', 'cn-north-1'],
    ['isolated', 'us-iso-east-1'],
    ['isolated', 'us-isob-east-1'],
    ['isolated', 'eu-isoe-west-1'],
    ['in the European Sovereign Cloud', 'eusc-de-east-1'],
  ])('%s (%s) is refused, whose names of services no policy has', (_, region) => {
    const env = { account: '111122223333', region };
    expect(problemsWith({ ...EXAMPLE, env })).toEqual([
      expect.stringMatching(`^env.region: "${region}" .* in the domain amazonaws\\.com$`),
    ]);
  });

  test('with several mistakes lists all of them, each with path, value and rule', () => {
    const database = { ...(EXAMPLE as { database: object }).database, port: 0, colour: 'red' };
    expect(
      problemsWith({
        stackName: '9lives',
        env: { account: '12', region: 'here' },
        database,
        network: undefined,
        partitionSets: [
          { schema: 'public', table: 'orders', graceDays: -3 },
          { schema: 'public', table: 'orders', timeZone: 'Mars' },
        ],
        schedule: { archive: 'monthly' },
        notificationEmails: ['nobody'],
      }),
    ).toEqual([
      'stackName: "9lives" is not allowed: must be a CloudFormation stack name: a letter, then letters, digits and hyphens',
      'env.account: "12" is not allowed: must be an AWS account of 12 digits',
      'env.region: "here" is not allowed: must be an AWS Region such as eu-central-1, whose services are in the domain amazonaws.com',
      'database.port: 0 is not allowed: must be a whole number from 1 to 65535',
      'database.colour: "red" is not allowed: there is no such setting',
      'network: is missing',
      'partitionSets[0].graceDays: -3 is not allowed: must be a whole number from 0 to 3650',
      'partitionSets[1].timeZone: "Mars" is not allowed: must be a time zone such as UTC or Europe/Berlin',
      'partitionSets[1].table: "orders" is not allowed: this partition set stands already at partitionSets[0]',
      'schedule.archive: "monthly" is not allowed: must be an EventBridge Scheduler expression such as cron(0 3 1 * ? *)',
      'notificationEmails[0]: "nobody" is not allowed: must be an email address',
    ]);
  });

  test.each([
    ['no object at all', 'text'],
    ['nothing', null],
  ])('that is %s is refused as a whole', (_, input) => {
    const parsed = parseDeploymentConfig(input);
    expect(parsed).toMatchObject({ ok: false, problems: [{ path: '' }] });
  });

  test('whose engine does not fit its kind is refused', () => {
    const database = { ...(EXAMPLE as { database: object }).database, engine: 'postgres' };
    expect(problemsWith({ database })).toEqual([
      'database.engine: "postgres" is not allowed: must be aurora-postgresql for kind cluster',
    ]);
  });

  test('whose subnets do not fit its availability zones is refused', () => {
    const network = { ...(EXAMPLE as { network: object }).network, availabilityZones: ['eu-central-1a'] };
    expect(problemsWith({ network })).toEqual([
      expect.stringContaining('must have as many entries as availabilityZones (1)'),
      expect.stringContaining('must have as many entries as availabilityZones (1)'),
    ]);
  });

  test('whose storage tiers S3 would refuse is refused', () => {
    const archive = {
      tiers: { standardIaDays: 7, glacierInstantRetrievalDays: 36, glacierDeepArchiveDays: 36 },
    };
    expect(problemsWith({ archive })).toEqual([
      'archive.tiers.standardIaDays: 7 is not allowed: must be at least 30, which S3 asks for',
      'archive.tiers.glacierInstantRetrievalDays: 36 is not allowed: must be at least 37, since standardIaDays is 7',
      'archive.tiers.glacierDeepArchiveDays: 36 is not allowed: must be at least 37, since glacierInstantRetrievalDays is 36',
    ]);
    expect(
      problemsWith({ archive: { tiers: { standardIaDays: 30, glacierFlexibleRetrievalDays: 60 } } }),
    ).toEqual([]);
  });

  test('that sets tiers for somebody else’s bucket is refused', () => {
    const bucket = { name: 'company-archive', keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/abc-1' };
    expect(problemsWith({ archive: { bucket, tiers: { standardIaDays: 30 } } })).toEqual([
      expect.stringContaining('belong to a bucket that is made here'),
    ]);
    expect(problemsWith({ archive: { bucket, keyArn: bucket.keyArn } })).toEqual([
      expect.stringContaining('the key of your own bucket is bucket.keyArn'),
    ]);
    expect(problemsWith({ archive: { bucket, objectLock: { days: 365 } } })).toEqual([]);
    expect(
      problemsWith({
        archive: { bucket: { ...bucket, keyArn: 'arn:aws:kms:eu-central-1:111122223333:alias/x' } },
      }),
    ).toEqual([expect.stringContaining('must be the ARN of a KMS key (not of an alias)')]);
  });

  // Seen to fail without the rule.
  test('that expires archives between two starts of Convert, which withdraws them, is refused', () => {
    const settings = {
      partitionSets: [{ schema: 'public', table: 'orders', query: true }],
      archive: { expiry: { days: 365 } },
      schedule: { convert: 'cron(0 6 1 * ? *)' },
    };
    expect(problemsWith({ ...settings, glueDatabase: 'orders_archive' })).toEqual([
      expect.stringMatching(/^schedule.convert: .* must start Convert every 7 days or more often/),
    ]);
    expect(problemsWith(settings)).toEqual([]);
    const weekly = { convert: 'cron(0 6 ? * MON *)' };
    expect(problemsWith({ ...settings, glueDatabase: 'orders_archive', schedule: weekly })).toEqual([]);
  });

  test('that names the key of a secret that it does not name is refused', () => {
    const { database } = EXAMPLE as { database: object };
    const adminSecretKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/abc-1';
    expect(problemsWith({ database: { ...database, adminSecretKeyArn } })).toEqual([
      expect.stringMatching(
        /^database.adminSecretKeyArn: .* is the key of adminSecretArn, which is not given/,
      ),
    ]);
  });

  describe('whose functions log in by IAM', () => {
    const { database } = EXAMPLE as { database: object };
    const proxy = { endpoint: 'p.example', securityGroupIds: ['sg-0a0a0a0a'] };
    const adminSecretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf';
    const byIam = (changes: object) =>
      problemsWith({ database: { ...database, authentication: 'iam', ...changes } });

    test('names database and proxy by their resource ids', () => {
      expect(byIam({ resourceId: 'cluster-ABCDEFGHIJKL' })).toEqual([]);
      expect(byIam({ resourceId: 'cluster-ABC', proxy: { ...proxy, resourceId: 'prx-0a1b' } })).toEqual([]);
    });

    test('is refused without them, or with a password of an administrator', () => {
      expect(byIam({ proxy, adminSecretArn })).toEqual([
        expect.stringMatching(/^database.resourceId: is missing: .*RDS console/),
        expect.stringMatching(/^database.proxy.resourceId: is missing: .*last part of its ARN/),
        expect.stringMatching(/^database.adminSecretArn: .* cannot be used with authentication iam/),
      ]);
      // A `*` would be one in the policy, too.
      for (const adminUser of ['dba*', 'archiver_drop', 'shop/dba']) {
        expect(byIam({ resourceId: 'cluster-ABC', adminUser })).toEqual([
          expect.stringMatching(/^database.adminUser: .* must be a role of the database that is none of/),
        ]);
      }
      expect(byIam({ resourceId: 'cluster-ABC', adminUser: 'dba' })).toEqual([]);
      expect(problemsWith({ database: { ...database, adminUser: 'dba' } })).toEqual([
        expect.stringMatching(/^database.adminUser: .* needs authentication iam/),
      ]);
      expect(byIam({ resourceId: 'db-ABC' })).toEqual([
        expect.stringContaining('must begin with cluster- for kind cluster'),
      ]);
    });
  });

  describe('whose archives expire', () => {
    const withExpiry = (expiry: object, rest: object = {}) => problemsWith({ archive: { expiry, ...rest } });

    test('is fine where nothing goes before its time', () => {
      const rest = { objectLock: { days: 365 }, tiers: { glacierDeepArchiveDays: 90 } };
      expect(withExpiry({ days: 365, deleteVersionsAfterDays: 1 }, rest)).toEqual([]);
      expect(withExpiry({ days: 400, deleteVersionsAfterDays: 400 }, rest)).toEqual([]);
      expect(withExpiry({ days: 400 })).toEqual([]);
    });

    test('is refused where they expire too early, with every reason', () => {
      const rest = { objectLock: { days: 365 }, tiers: { glacierDeepArchiveDays: 40 } };
      expect(withExpiry({ days: 40 }, rest)).toEqual([
        'archive.expiry.days: 40 is not allowed: must be at least objectLock.days (365)',
        'archive.expiry.days: 40 is not allowed: must be more than the days of the last tier (40)',
        // The example has 14 days of grace.
        'archive.expiry.days: 40 is not allowed: must be more than the longest graceDays (14) and 30 days to notice what is missing',
      ]);
    });

    test('is refused where a version that was written over would go before its time', () => {
      const expiry = { days: 400, deleteVersionsAfterDays: 399 };
      for (const rest of [{}, { objectLock: { days: 399 } }]) {
        expect(withExpiry(expiry, rest)).toEqual([
          expect.stringContaining('must be at least 400, or objectLock.days must be 400'),
        ]);
      }
    });
  });

  test('is judged as a whole where something else has not even the right form', () => {
    const database = { ...(EXAMPLE as { database: object }).database, engine: 'postgres', port: 'x' };
    const network = { ...(EXAMPLE as { network: object }).network, vpcId: 5, availabilityZones: ['a'] };
    // Seen to fail without validatedWith: what concerns several settings came only after the rest was fixed.
    expect(problemsWith({ stackName: 3, database, network, archive: { expiry: { days: 7 } } })).toEqual([
      expect.stringMatching(/^stackName: 3 /),
      expect.stringMatching(/^database.port: "x" /),
      expect.stringMatching(/^database.engine: "postgres" /),
      expect.stringMatching(/^network.vpcId: 5 /),
      expect.stringMatching(/^network.privateSubnetIds: /),
      expect.stringMatching(/^network.privateSubnetRouteTableIds: /),
      expect.stringMatching(/^archive.expiry.days: 7 /),
    ]);
  });

  test.each([
    ['days', 0],
    ['mode', 'governance'],
    ['forever', true],
  ])('whose objectLock has %s %j is refused', (setting, value) => {
    expect(problemsWith({ archive: { objectLock: { days: 30, [setting]: value } } })).toHaveLength(1);
  });

  test.each(['cron(0 3 1 * *)', 'rate(1)', 'at(2026-01-01T00:00:00)', '0 3 1 * ? *'])(
    'with the schedule %s is refused',
    (archive) => {
      expect(problemsWith({ schedule: { archive } })).toHaveLength(1);
    },
  );
});

test('the JSON schema for editors is up to date', () => {
  const file = join(ROOT, 'partition-archiver.schema.json');
  const text = `${JSON.stringify(deploymentJsonSchema(), null, 2)}\n`;
  // After a change of the settings: delete the file, and this test writes it again.
  if (!existsSync(file)) writeFileSync(file, text);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(text));
});
