/** The deployment file that the repository has as an example, and changes of it; needs no jest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** The example file, with some settings replaced, `undefined` for left out. */
export function exampleConfig(changes: object = {}): object {
  const example = readJson('partition-archiver.example.json');
  return JSON.parse(JSON.stringify({ ...example, ...changes })) as object;
}

export const ADMIN_SECRET_ARN =
  'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-0a1b2c3d-AbCdEf';

/** Key of the administrator's secret. */
export const ADMIN_KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0a0a0a0a-1111-2222-3333-444455556666';

/** The change to the example by which the workflows of an administrator are made, too. */
export function withAdministrator(): { readonly database: object } {
  const { database } = exampleConfig() as { database: object };
  return { database: { ...database, adminSecretArn: ADMIN_SECRET_ARN, adminSecretKeyArn: ADMIN_KEY_ARN } };
}

/** The change to the example by which archives get Parquet copies. */
export function withQuery(): { readonly partitionSets: readonly object[] } {
  const { partitionSets } = exampleConfig() as { partitionSets: readonly object[] };
  return { partitionSets: partitionSets.map((set) => ({ ...set, query: true })) };
}

/** A file of the repository. */
export function readJson(file: string): object {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as object;
}
