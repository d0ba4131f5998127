import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseDeploymentConfig } from '../../../core/config/deployment.ts';
import { conflicts } from '../../../core/config/together.ts';

const EXAMPLE = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../partition-archiver.example.json'), 'utf8'),
) as { readonly database: object };

// Seen to fail where the identifier alone told them apart: refused, although each Region has a cluster of this name.
test('files without env are of one cluster if they have one endpoint', () => {
  const config = (stackName: string, endpoint: string) => {
    const database = { ...EXAMPLE.database, endpoint, verifyEndpoint: undefined };
    const parsed = parseDeploymentConfig({ ...EXAMPLE, env: undefined, stackName, database });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return [stackName, parsed.config] as const;
  };
  const here = config('Here', 'orders.cluster-abc.eu-central-1.rds.amazonaws.com');
  const there = config('There', 'orders.cluster-abc.us-east-1.rds.amazonaws.com');
  const again = config('Again', 'orders.cluster-ABC.eu-central-1.rds.amazonaws.com');
  expect(conflicts([here, there])).toEqual([]);
  expect(conflicts([here, again])).toEqual([expect.stringContaining('both attach roles for aws_s3')]);
});
