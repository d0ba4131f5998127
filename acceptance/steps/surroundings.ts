import { join } from 'node:path';
import type { Account } from '../account.ts';
import { must, step, type Step } from '../step.ts';
import { SURROUNDINGS as STACK_NAME, TAG } from '../terms.ts';

/** Of the CDK's bootstrap stack, the least that a synthesised stack of today asks for. */
const BOOTSTRAP_VERSION = 6;

interface EngineVersion {
  readonly EngineVersion: string;
  readonly SupportedFeatureNames?: readonly string[];
}

async function defaultEngine(account: Account): Promise<EngineVersion | undefined> {
  const { DBEngineVersions } = await account.aws<{ DBEngineVersions: readonly EngineVersion[] }>(
    'rds describe-db-engine-versions',
    { engine: 'aurora-postgresql', 'default-only': true },
  );
  return DBEngineVersions[0];
}

export const BOOTSTRAP: Step = step(
  'bootstrap',
  'the account and the Region are bootstrapped for the CDK',
  (account) =>
    account.aws<{ Parameter: { Value: string } }>('ssm get-parameter', {
      name: `/cdk-bootstrap/${account.place.qualifier}/version`,
    }),
  ({ Parameter: { Value: version } }) => {
    must(Number(version) >= BOOTSTRAP_VERSION, `run cdk bootstrap: version ${version} is too old`);
    return `version ${version}`;
  },
);

/** Zones of the Region that have Aurora Serverless v2 in this version; not every zone of every Region has. */
async function zonesOf(account: Account, version: string): Promise<readonly string[]> {
  const { OrderableDBInstanceOptions: options } = await account.aws<{
    OrderableDBInstanceOptions: readonly { AvailabilityZones: readonly { Name: string }[] }[];
  }>('rds describe-orderable-db-instance-options', {
    engine: 'aurora-postgresql',
    'engine-version': version,
    'db-instance-class': 'db.serverless',
  });
  return [
    ...new Set(options.flatMap(({ AvailabilityZones }) => AvailabilityZones.map(({ Name }) => Name))),
  ].sort();
}

export const ENGINE: Step = step(
  'engine',
  'the default version of Aurora PostgreSQL exports to S3 and imports from it, in two zones',
  async (account) => {
    const found = await defaultEngine(account);
    return { found, zones: await zonesOf(account, found?.EngineVersion ?? '') };
  },
  ({ found, zones }) => {
    const { EngineVersion: version = '0', SupportedFeatureNames: features = [] } = found ?? {};
    must(
      zones.length >= 2,
      `db.serverless of version ${version} is in ${zones.join() || 'no zone'}, not in two`,
    );
    for (const feature of ['s3Export', 's3Import']) {
      must(features.includes(feature), `version ${version} has not the feature ${feature}`);
    }
    return `version ${version}`;
  },
);

async function parameters(account: Account): Promise<readonly string[]> {
  const { EngineVersion: version = '' } = (await defaultEngine(account)) ?? {};
  const [zoneA = '', zoneB = ''] = account.place.zones ?? (await zonesOf(account, version));
  return [`EngineVersion=${version}`, `ZoneA=${zoneA}`, `ZoneB=${zoneB}`];
}

/** A stack in this state was never made and has no parameters; the CLI makes it then, too. */
async function isToBeMade(account: Account): Promise<boolean> {
  const { StackStatus: status = 'REVIEW_IN_PROGRESS' } = (await account.stack(STACK_NAME)) ?? {};
  return status === 'REVIEW_IN_PROGRESS';
}

export const SURROUNDINGS: Step = step(
  'surroundings',
  'VPC, Aurora, queue and bucket, and SQL by the Data API',
  async (account) => {
    await account.cli('cloudformation deploy', {
      'stack-name': STACK_NAME,
      'template-file': join(account.place.root, 'acceptance/surroundings.json'),
      // The stack of an earlier run keeps what it has: the default version may be another one by now.
      ...((await isToBeMade(account)) && {
        'parameter-overrides': await parameters(account),
      }),
      tags: `${TAG.key}=${TAG.value}`,
      'no-fail-on-empty-changeset': true,
    });
    return account.sql<{ version: string }>("select current_setting('server_version') as version");
  },
  ([row]) => {
    must(row !== undefined, 'the Data API returned no row');
    return `PostgreSQL ${row.version}`;
  },
);
