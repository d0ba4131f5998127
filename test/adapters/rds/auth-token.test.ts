import { createHash, createHmac } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { connect } from '../../../adapters/postgres/connect.ts';
import { authToken } from '../../../adapters/rds/auth-token.ts';
import { stack, useDatabase } from '../../support/database.ts';
import { withRoleRetries } from '../../support/roles.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: 'IQoJ/b3Jp+Z2lu==' };
const NOW = new Date('2026-01-02T03:04:05.678Z');
const subject = {
  host: 'orders.proxy-abc.eu-central-1.rds.amazonaws.com',
  port: 5432,
  user: 'archiver_read',
  region: 'eu-central-1',
};

async function tokenFor(changes: Partial<typeof subject> = {}): Promise<string> {
  const client = new SecretsManagerClient({ region: subject.region, credentials: keys });
  const { credentials, sha256 } = client.config;
  return authToken({ ...subject, ...changes }, { credentials, sha256 });
}

const parametersOf = (token: string): URLSearchParams => new URL(`https://${token}`).searchParams;

describe('a token to log in to RDS with', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('is a presigned request of rds-db:connect as that user, without its scheme', async () => {
    const token = await tokenFor();
    expect(token).toMatch(/^orders\.proxy-abc\.eu-central-1\.rds\.amazonaws\.com:5432\/\?Action=connect&/);
    expect(Object.fromEntries(parametersOf(token))).toEqual({
      Action: 'connect',
      DBUser: 'archiver_read',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIDEXAMPLE/20260102/eu-central-1/rds-db/aws4_request',
      'X-Amz-Date': '20260102T030405Z',
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Security-Token': keys.sessionToken,
      'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('has the signature that AWS works out from its own words', async () => {
    // Reserved characters in a name are where signatures go wrong.
    for (const changes of [{}, { user: "it's (a) *" }, { port: 6432 }]) {
      const token = await tokenFor(changes);
      expect(parametersOf(token).get('X-Amz-Signature')).toBe(signatureOf(token));
    }
  });

  test('is another one for another user, host, port or time', async () => {
    const tokens = await Promise.all([
      tokenFor(),
      tokenFor({ user: 'archiver_drop' }),
      tokenFor({ host: 'other' }),
      tokenFor({ port: 6432 }),
    ]);
    jest.setSystemTime(NOW.getTime() + 1000);
    tokens.push(await tokenFor());
    expect(new Set(tokens.map((token) => parametersOf(token).get('X-Amz-Signature'))).size).toBe(5);
  });
});

/** Version 4 of AWS's signatures, by its description and by nothing that made the token. */
function signatureOf(token: string): string {
  const [authority = '', query = ''] = token.split('/?');
  const signed = query.split('&').filter((pair) => !pair.startsWith('X-Amz-Signature='));
  const request = ['GET', '/', signed.sort().join('&'), `host:${authority}`, '', 'host', sha256('')].join(
    '\n',
  );
  const time = '20260102T030405Z';
  const scope = ['20260102', 'eu-central-1', 'rds-db', 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${SECRET}`));
  return hmac(key, text).toString('hex');
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

describe('on a server', () => {
  const database = useDatabase();

  test('a token is made when the connection is opened, and a password of its length is taken', async () => {
    const { sql, name } = database();
    const role = `by_token_${String(process.pid)}`;
    const token = await tokenFor({ user: role });
    await withRoleRetries(() => sql.unsafe(`create role ${role} login password '${token}'`));
    let made = 0;
    const connection = connect({
      host: stack().postgres.host,
      port: stack().postgres.port,
      database: name,
      user: role,
      password: () => {
        made += 1;
        return Promise.resolve(token);
      },
      tls: false,
      applicationName: 'test',
    });
    try {
      expect(made).toBe(0);
      expect(await connection`select current_user as name`).toEqual([{ name: role }]);
      expect(made).toBe(1);
    } finally {
      await connection.end({ timeout: 1 });
      await withRoleRetries(() => sql.unsafe(`drop role ${role}`));
    }
  });
});
