import type { PreparationReport } from '../../core/setup/prepare-report.ts';
import { outputOf, type Account } from '../account.ts';
import { COUNT_ROWS, MAKE_SET, ROWS } from '../rows.ts';
import { must, step, type Step } from '../step.ts';

/** The health of a database as a target of RDS Proxy. */
interface TargetHealth {
  readonly State: 'REGISTERING' | 'AVAILABLE' | 'UNAVAILABLE' | 'UNUSED';
  readonly Reason?: string;
  readonly Description?: string;
}

/** Health that has not been found out yet. */
const isPending = ({ State, Reason }: TargetHealth): boolean =>
  State === 'REGISTERING' || Reason === 'PENDING_PROXY_CAPACITY';

/** Health of the instance behind the proxy, as soon as it is one that lasts. */
async function healthOfTarget(
  account: Account,
  isIt: (health: TargetHealth) => boolean,
): Promise<TargetHealth> {
  const proxy = await account.physicalId('AWS::RDS::DBProxy');
  return account.until('a healthy target of the proxy', 15, async () => {
    const { Targets } = await account.aws<{
      Targets: readonly { Type: string; TargetHealth?: TargetHealth }[];
    }>('rds describe-db-proxy-targets', { 'db-proxy-name': proxy });
    const health = Targets.find(({ Type }) => Type === 'RDS_INSTANCE')?.TargetHealth;
    return health === undefined || isPending(health) || !isIt(health) ? undefined : health;
  });
}

const inWords = ({ State, Reason, Description }: TargetHealth): string =>
  [State, Reason, Description].filter(Boolean).join(', ');

export const REFUSED_SECRETS: Step = step(
  'refused-secrets',
  'what the proxy says of its target while no role has its secrets: only AWS can tell',
  (account) => healthOfTarget(account, () => true),
  (health) => {
    const isKnown = health.State === 'AVAILABLE' || health.Reason === 'AUTH_FAILURE';
    must(isKnown, `the target is ${inWords(health)}: the proxy does not reach the database`);
    return inWords(health);
  },
);

export const NOT_PREPARED: Step = step(
  'not-prepared',
  'a run in a database that is not prepared ends as NotPrepared',
  (account) => account.execute('Archive', {}),
  ({ status, error = 'no error' }) => {
    must(status === 'FAILED' && error === 'NotPrepared', `the run ended as ${status}, ${error}`);
    return error;
  },
);

export const MAKE_ROWS: Step = step(
  'rows',
  'a partition set with rows',
  async (account) => {
    for (const statement of MAKE_SET) await account.sql(statement);
    return account.sql<{ rows: number }>(COUNT_ROWS);
  },
  ([found]) => {
    must(found?.rows === ROWS, `${String(found?.rows)} rows, not ${String(ROWS)}`);
    return `${String(ROWS)} rows`;
  },
);

/** Again after an update, which may bring other SQL. */
const prepare = (name: string, shows: string): Step =>
  step(
    name,
    shows,
    (account) => account.execute('PrepareDatabase', {}),
    (execution) => {
      const { state, done } = outputOf(execution) as PreparationReport;
      return `${state}: ${done.join('; ')}`;
    },
  );

export const HEALTHY_TARGET: Step = step(
  'healthy-target',
  'the proxy reaches the database once the roles have their passwords',
  (account) => healthOfTarget(account, ({ State }) => State === 'AVAILABLE'),
  inWords,
);

export const PREPARE: Step = prepare('prepare', 'PrepareDatabase, from nothing');
export const PREPARE_AGAIN: Step = prepare('prepare-again', 'PrepareDatabase, over the previous version');
