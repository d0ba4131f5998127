import { REGION, regionOfEndpoint } from './endpoints.ts';

/** What of a deployment file names a Region or an account. */
interface Placed {
  readonly env?: { readonly account: string; readonly region: string } | undefined;
  readonly database: {
    readonly endpoint: string;
    readonly proxy?: false | { readonly endpoint: string } | undefined;
    readonly verifyEndpoint?: { readonly endpoint: string } | undefined;
    readonly adminSecretArn?: string | undefined;
    readonly adminSecretKeyArn?: string | undefined;
    readonly attachedS3Roles?: { readonly exportRoleArn: string; readonly importRoleArn: string } | undefined;
  };
  readonly archive: {
    readonly bucket?: { readonly keyArn: string } | undefined;
    readonly keyArn?: string | undefined;
    readonly formerKeyArns: readonly string[];
  };
  readonly alarms: { readonly topicArn?: string | undefined; readonly pageTopicArn?: string | undefined };
}

type Path = (string | number)[];

/**
 * What is in another Region than the stack, or a role of another account than the database. RDS finds no such database; S3,
 * Secrets Manager and CloudWatch take no key, secret or topic of another Region, the first of them after minutes.
 */
export function placeProblems({ env, database, archive, alarms }: Placed): [path: Path, message: string][] {
  const { proxy, verifyEndpoint, attachedS3Roles } = database;
  const endpoints: [Path, string | undefined][] = [
    [['database', 'endpoint'], database.endpoint],
    [['database', 'proxy', 'endpoint'], proxy === false ? undefined : proxy?.endpoint],
    [['database', 'verifyEndpoint', 'endpoint'], verifyEndpoint?.endpoint],
  ];
  const arns: [Path, string | undefined][] = [
    [['database', 'adminSecretArn'], database.adminSecretArn],
    [['database', 'adminSecretKeyArn'], database.adminSecretKeyArn],
    [['archive', 'bucket', 'keyArn'], archive.bucket?.keyArn],
    [['archive', 'keyArn'], archive.keyArn],
    ...archive.formerKeyArns.map((arn, index): [Path, string] => [['archive', 'formerKeyArns', index], arn]),
    [['alarms', 'topicArn'], alarms.topicArn],
    [['alarms', 'pageTopicArn'], alarms.pageTopicArn],
  ];
  const expected = env?.region ?? regionOfEndpoint(database.endpoint);
  const source = env === undefined ? 'database.endpoint' : 'env.region';
  const elsewhere = [
    ...endpoints.map(([path, endpoint]) => [path, regionOfEndpoint(endpoint ?? '')] as const),
    ...arns.map(([path, arn]) => [path, arn?.split(':')[3]] as const),
  ].flatMap(([path, region]): [Path, string][] =>
    expected === undefined || !REGION.test(expected) || region === undefined || region === expected
      ? []
      : [[path, `must be in the Region ${expected}, which ${source} says, and is in ${region}`]],
  );
  const foreign = Object.entries(attachedS3Roles ?? {}).flatMap(([role, arn]): [Path, string][] =>
    env === undefined || arn.split(':')[4] === env.account
      ? []
      : [
          [
            ['database', 'attachedS3Roles', role],
            `must be a role of the account ${env.account}, which env.account says: RDS attaches no role of another one`,
          ],
        ],
  );
  return [...elsewhere, ...foreign];
}
