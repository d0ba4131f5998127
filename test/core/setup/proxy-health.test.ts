import { expect, test } from '@jest/globals';
import { explainUnavailable, type ProxyHealth, type TargetHealth } from '../../../core/setup/proxy-health.ts';

const FAILURE = { Error: 'DatabaseUnavailable', Cause: '{"errorMessage":"connect ETIMEDOUT"}' };

const explain = (targets: readonly TargetHealth[] | 'missing') =>
  explainUnavailable(FAILURE, { targets: () => Promise.resolve(targets) });

// Seen to fail without describe() in explainUnavailable (the first line alone).
test.each([
  // Seen to fail without: LOGIN_REFUSED in core/setup/proxy-health.ts (PreflightFailed).
  ['AUTH_FAILURE', /run PrepareDatabase/, 'NotPrepared'],
  ['PENDING_PROXY_CAPACITY', /wait some minutes/],
  ['UNREACHABLE', /security groups of the database let the proxy in/],
  ['CONNECTION_FAILED', /security groups of the database let the proxy in/],
  ['SOMETHING_NEW', /RDS console/],
])(
  'a target that is unhealthy by %s is named with the way out',
  async (reason, hint, code = 'PreflightFailed') => {
    const targets = [
      { identifier: 'orders-1', state: 'UNAVAILABLE', reason, description: 'as RDS says' },
      { identifier: 'orders-2', state: 'AVAILABLE' },
    ];
    const explained = explain(targets);
    await expect(explained).rejects.toMatchObject({
      code,
      message: expect.stringMatching(hint),
    });
    await expect(explained).rejects.toThrow(/^connect ETIMEDOUT\ntarget orders-1 .*: as RDS says/);
    await expect(explained).rejects.not.toThrow(/orders-2/);
  },
);

// Seen to fail while both said to deploy again, which changes nothing.
test.each<[string, readonly TargetHealth[] | 'missing', RegExp]>([
  ['no proxy', 'missing', /no such proxy.* Deploy with "proxy": false/],
  ['no target', [], /has no target\. .*aws rds register-db-proxy-targets/],
  ['healthy targets', [{ identifier: 'orders-1', state: 'AVAILABLE' }], /between the function and the proxy/],
])('%s is said, too', async (_, targets, words) => {
  await expect(explain(targets)).rejects.toThrow(words);
});

// Seen to fail without: the SQLSTATEs in LOGIN_REFUSED (PreflightFailed).
test.each(['28P01', '28000'])(
  'a login that is refused by SQLSTATE %s is a database that is not prepared',
  async (sqlstate) => {
    const Cause = `preflight of the database: role "archiver_read" is not there (SQLSTATE ${sqlstate})`;
    const failure = { Error: 'DatabaseUnavailable', Cause: JSON.stringify({ errorMessage: Cause }) };
    await expect(
      explainUnavailable(failure, { targets: () => Promise.resolve('missing') }),
    ).rejects.toMatchObject({ code: 'NotPrepared' });
  },
);

test('health that cannot be read hides nothing', async () => {
  const health: ProxyHealth = { targets: () => Promise.reject(new Error('AccessDenied')) };
  await expect(explainUnavailable(FAILURE, health)).rejects.toThrow(
    /connect ETIMEDOUT\nthe health of the proxy could not be read: AccessDenied/,
  );
});

test.each([
  ['password authentication failed (SQLSTATE 28P01)', 'NotPrepared'],
  ['role is not permitted to log in (SQLSTATE 28000)', 'NotPrepared'],
  ['no connection to the database (ECONNREFUSED)', 'PreflightFailed'],
])('without a proxy, "%s" is %s', async (errorMessage, code) => {
  const failure = { Error: 'DatabaseUnavailable', Cause: JSON.stringify({ errorMessage }) };
  await expect(explainUnavailable(failure)).rejects.toMatchObject({ code, message: errorMessage });
});
