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
      name: '/cdk-bootstrap/hnb659fds/version',
    }),
  ({ Parameter: { Value: version } }) => {
    must(Number(version) >= BOOTSTRAP_VERSION, `run cdk bootstrap: version ${version} is too old`);
    return `version ${version}`;
  },
);

export const ENGINE: Step = step(
  'engine',
  'the default version of Aurora PostgreSQL exports to S3 and imports from it',
  defaultEngine,
  (found) => {
    const { EngineVersion: version = '0', SupportedFeatureNames: features = [] } = found ?? {};
    for (const feature of ['s3Export', 's3Import']) {
      must(features.includes(feature), `version ${version} has not the feature ${feature}`);
    }
    return `version ${version}`;
  },
);

export const SURROUNDINGS: Step = step(
  'surroundings',
  'VPC, Aurora, queue and bucket, and SQL by the Data API',
  async (account) => {
    const { EngineVersion: version = '' } = (await defaultEngine(account)) ?? {};
    await account.cli('cloudformation deploy', {
      'stack-name': STACK_NAME,
      'template-file': join(account.place.root, 'acceptance/surroundings.json'),
      'parameter-overrides': `EngineVersion=${version}`,
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
