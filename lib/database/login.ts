import { ArnFormat, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/** How a function gets into the database. */
export interface DatabaseLogin {
  readonly host: string;
  readonly port: number;
  /** Where the connections lead to. */
  readonly connections: ec2.Connections;
  /** What the function's role has to be allowed. */
  readonly statements: readonly iam.PolicyStatement[];
  /** What the function has to be told. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A statement that allows logins by IAM tokens as these database roles, to the database or the proxy with this resource id. */
export function statementToLogIn(
  scope: Construct,
  resourceId: string,
  ...roles: readonly string[]
): iam.PolicyStatement {
  const users = roles.map((role) =>
    Stack.of(scope).formatArn({
      service: 'rds-db',
      resource: 'dbuser',
      resourceName: `${resourceId}/${role}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
  return new iam.PolicyStatement({ sid: 'LogIn', actions: ['rds-db:connect'], resources: users });
}

/** By the password in a secret. Not `grantRead`, which allows DescribeSecret as well. */
export function bySecret(
  { secretArn, encryptionKey }: secretsmanager.ISecret,
  region: string,
): Pick<DatabaseLogin, 'statements' | 'environment'> {
  const read = new iam.PolicyStatement({
    sid: 'ReadOwnLogin',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretArn],
  });
  const decrypt = ({ keyArn }: kms.IKey): iam.PolicyStatement =>
    new iam.PolicyStatement({
      sid: 'DecryptOwnLogin',
      actions: ['kms:Decrypt'],
      resources: [keyArn],
      conditions: {
        StringEquals: {
          'kms:ViaService': `secretsmanager.${region}.amazonaws.com`,
          'kms:EncryptionContext:SecretARN': secretArn,
        },
      },
    });
  return {
    statements: encryptionKey === undefined ? [read] : [read, decrypt(encryptionKey)],
    environment: { DATABASE_SECRET_ARN: secretArn },
  };
}

/** RDS itself has certificates of Amazon's own authority, which Node knows only from this file of the runtime. */
export const PAST_THE_PROXY = { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' };

/** The same login, at the database itself and not through a proxy. */
export function pastTheProxy({
  statements,
  environment,
}: Pick<DatabaseLogin, 'statements' | 'environment'>): Pick<DatabaseLogin, 'statements' | 'environment'> {
  return { statements, environment: { ...environment, ...PAST_THE_PROXY } };
}
