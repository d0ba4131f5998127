/** What a deployer changes later, and what comes of it. */
import { exampleConfig, withAdministrator } from '../example.ts';

/** One line of the table. */
export interface ChangedSetting {
  /** Paths of the settings in the deployment file, as the schema has them; `[]` stands for each member of a list. */
  readonly settings: readonly string[];
  /** What is changed to what. */
  readonly change: string;
  /** Sections of the deployment file before and after; a section replaces the one of {@link BASE}. */
  readonly before: object;
  readonly after: object;
  /** What the operator sees, and does. */
  readonly seen: string;
  /** The archive lies elsewhere from then on, so that keys and bucket of before are no longer used. */
  readonly anotherArchive?: boolean;
}

/** A key that a stack made: what a deployer writes into `archive.formerKeyArns`. */
export const MADE_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-1111-2222-3333-444455556666';
export const OWN_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/bbbbbbbb-1111-2222-3333-444455556666';
export const OTHER_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/cccccccc-1111-2222-3333-444455556666';

/** A deployment with a proxy, a bucket and a key of its own, and an administrator. */
export const BASE = {
  ...exampleConfig(),
  ...withAdministrator(),
  schedule: { timeZone: 'UTC', audit: 'cron(0 6 10 * ? *)' },
  alarms: {},
} as unknown as {
  readonly database: object;
  readonly network: object;
  readonly partitionSets: readonly object[];
  readonly archive: object;
  readonly schedule: object;
};

const section =
  (name: 'database' | 'network' | 'archive' | 'schedule') =>
  (changes: object): object => ({ [name]: { ...BASE[name], ...changes } });

/** The base with changes in one section. */
export const database = section('database');
export const network = section('network');
export const archive = section('archive');
export const schedule = section('schedule');

/** The base with changes of its first partition set. */
export const firstSet = (changes: object): object => {
  const [first, ...others] = BASE.partitionSets;
  return { partitionSets: [{ ...first, ...changes }, ...others] };
};
