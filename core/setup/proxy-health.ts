import { ArchiverError } from '../errors.ts';
import { messageOf, type StepFailure } from '../archive/record-failure.ts';

/** An instance behind a proxy, as RDS describes its health. */
export interface TargetHealth {
  readonly identifier: string;
  /** `AVAILABLE`, `REGISTERING` or `UNAVAILABLE`. */
  readonly state: string;
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
}

/** The proxy, as far as its targets go. */
export interface ProxyHealth {
  /** `missing` where RDS knows no such proxy. */
  targets(): Promise<readonly TargetHealth[] | 'missing'>;
}

/** What to do, by the reason that RDS gives (RDS API reference, TargetHealth). */
const REMEDY: Readonly<Record<string, string>> = {
  AUTH_FAILURE:
    'The database refuses the logins of the proxy: run PrepareDatabase, which makes the roles with the passwords of the secrets, or set these passwords by hand.',
  CONNECTION_FAILED:
    'The proxy cannot reach the database: check that the security groups of the database let the proxy in at its port.',
  UNREACHABLE:
    'The proxy cannot reach the database: check that the security groups of the database let the proxy in at its port.',
  PENDING_PROXY_CAPACITY: 'The proxy is still being scaled: wait some minutes and start again.',
  INVALID_REPLICATION_STATE:
    'The instance cannot be reached while it is being replicated: wait until it is available.',
  PROMOTED: 'The instance was promoted out of its cluster: deploy again with the identifier of the cluster.',
};

const NOT_KNOWN = 'Look at the proxy in the RDS console: its target group names the reason.';

/**
 * Explains why the database could not be reached, by the health of the proxy's targets: throws `NotPrepared` where logins
 * are refused, `PreflightFailed` otherwise, with the failure that is given, each unhealthy target, and the way out. Of a proxy
 * that the stack has not made, and where there is none, no health is known.
 */
export async function explainUnavailable(failure: StepFailure, health?: ProxyHealth): Promise<never> {
  const targets = health === undefined ? [] : await describe(health);
  const message = [messageOf(failure), ...targets].join('\n');
  throw new ArchiverError(LOGIN_REFUSED.test(message) ? 'NotPrepared' : 'PreflightFailed', message);
}

/** The server or the proxy refuses the login: roles that are not there, passwords that were never set, or not these. */
const LOGIN_REFUSED = /\(SQLSTATE 28(P01|000)\)|\(AUTH_FAILURE\)/;

/** That the health cannot be told must not hide the failure itself. */
async function describe(health: ProxyHealth): Promise<string[]> {
  try {
    return describeTargets(await health.targets());
  } catch (error) {
    return [
      `the health of the proxy could not be read: ${error instanceof Error ? error.message : String(error)}`,
    ];
  }
}

function describeTargets(targets: readonly TargetHealth[] | 'missing'): string[] {
  // CloudFormation changes nothing where the template has not changed: another deployment does not help.
  if (targets === 'missing') {
    return ['RDS knows no such proxy: it was deleted. Deploy with "proxy": false, then again without that.'];
  }
  if (targets.length === 0) {
    return [
      'The proxy has no target. Register the database with aws rds register-db-proxy-targets; another deployment would not.',
    ];
  }
  const ill = targets.filter(({ state }) => state !== 'AVAILABLE');
  if (ill.length === 0)
    return ['All targets of the proxy are AVAILABLE: the fault is between the function and the proxy.'];
  return ill.map(({ identifier, state, reason, description }) => {
    const why = reason === undefined ? state : `${state} (${reason})`;
    const said = description === undefined ? '' : `: ${description}`;
    return `target ${identifier} of the proxy is ${why}${said}. ${REMEDY[reason ?? ''] ?? NOT_KNOWN}`;
  });
}
