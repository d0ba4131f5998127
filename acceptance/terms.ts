/** What is made, under which names, and what it costs: said before anything is made. */

/** Begins as the names that docs/deployer-policy.json allows, which is tried along with the rest. */
export const STACK = 'PartitionArchiver-Acceptance';
export const SURROUNDINGS = `${STACK}-Surroundings`;

/** Tag of everything that is made. */
export const TAG = { key: 'partition-archiver-acceptance', value: 'true' };

export const GLUE_DATABASE = 'partition_archiver_acceptance';

/** What is said before the first change. */
export function terms(account: string, region: string): string[] {
  return [
    `Account ${account}, Region ${region}.`,
    `Creates the stacks ${SURROUNDINGS} (a VPC without a way out, Aurora Serverless v2 with at most 2 ACUs, a queue, a bucket)`,
    `and ${STACK} (the archiver with RDS Proxy, an interface endpoint, keys and alarms), uses them, and deletes them.`,
    `Everything has the tag ${TAG.key}. Nothing else of the account is changed.`,
    'Cost, by list prices: below 1 US dollar an hour while both exist, and 1 a month for each key that is left.',
    'Time, estimated and not measured: an hour for the steps, and up to another one for the deletion, most of which waits',
    'for Lambda to release its network interfaces.',
  ];
}
