import {
  DeregisterDBProxyTargetsCommand,
  DescribeDBProxyTargetsCommand,
  ModifyDBProxyTargetGroupCommand,
  type DBProxyTarget,
  type RDSClient,
  RDSServiceException,
  RegisterDBProxyTargetsCommand,
} from '@aws-sdk/client-rds';
import type { ProxyHealth, TargetHealth } from '../../core/setup/proxy-health.ts';
import type { ProxyAnswer, ProxyTarget, ProxyTargetGroup } from '../../core/setup/proxy-target.ts';

/** RDS is busy with the proxy or the database, or another caller was quicker: the next look decides. */
const BUSY =
  /^(InvalidDB(Cluster|Instance|Proxy)State|DBProxyTargetAlreadyRegistered|DBProxyTargetNotFound)(Fault)?$/;
const MISSING = /^DBProxy(TargetGroup)?NotFound(Fault)?$/;

/** Each proxy has just this group. */
const TargetGroupName = 'default';

/** The default target group of a proxy. */
export function proxyTargetGroup(client: Pick<RDSClient, 'send'>, DBProxyName: string): ProxyTargetGroup {
  const group = { DBProxyName, TargetGroupName };
  return {
    targets: () =>
      orMissing(async () => (await describe(client, DBProxyName)).flatMap((target) => databaseOf(target))),
    register: (target) =>
      answered(client.send(new RegisterDBProxyTargetsCommand({ ...group, ...named(target) }))),
    deregister: (target) =>
      answered(client.send(new DeregisterDBProxyTargetsCommand({ ...group, ...named(target) }))),
    setPool: (pool) =>
      answered(
        client.send(
          new ModifyDBProxyTargetGroupCommand({
            ...group,
            ConnectionPoolConfig: {
              MaxConnectionsPercent: pool.maxConnectionsPercent,
              MaxIdleConnectionsPercent: pool.maxIdleConnectionsPercent,
              ConnectionBorrowTimeout: pool.borrowTimeoutSeconds,
            },
          }),
        ),
      ),
  };
}

/** The health of a proxy's targets, as RDS tells it. */
export function proxyHealth(client: Pick<RDSClient, 'send'>, proxyName: string): ProxyHealth {
  return {
    targets: () =>
      orMissing(async () =>
        (await describe(client, proxyName)).flatMap(
          ({ Type, RdsResourceId = '', TargetHealth: health }): TargetHealth[] =>
            // The health of a cluster is that of its instances.
            Type === 'TRACKED_CLUSTER'
              ? []
              : [
                  {
                    identifier: RdsResourceId,
                    state: health?.State ?? 'UNKNOWN',
                    reason: health?.Reason,
                    description: health?.Description,
                  },
                ],
        ),
      ),
  };
}

async function describe(client: Pick<RDSClient, 'send'>, DBProxyName: string): Promise<DBProxyTarget[]> {
  const targets: DBProxyTarget[] = [];
  let Marker: string | undefined;
  do {
    const page = await client.send(
      new DescribeDBProxyTargetsCommand({
        DBProxyName,
        TargetGroupName,
        ...(Marker !== undefined && { Marker }),
      }),
    );
    targets.push(...(page.Targets ?? []));
    ({ Marker } = page);
  } while (Marker !== undefined);
  return targets;
}

/** The database of a target. The instances of a cluster are listed beside it, and are not registered themselves. */
function databaseOf({ Type, RdsResourceId = '', TrackedClusterId }: DBProxyTarget): ProxyTarget[] {
  if (Type === 'TRACKED_CLUSTER') return [{ kind: 'cluster', identifier: RdsResourceId }];
  return TrackedClusterId === undefined ? [{ kind: 'instance', identifier: RdsResourceId }] : [];
}

function named({ kind, identifier }: ProxyTarget) {
  return kind === 'cluster'
    ? { DBClusterIdentifiers: [identifier] }
    : { DBInstanceIdentifiers: [identifier] };
}

async function answered(sent: Promise<unknown>): Promise<ProxyAnswer> {
  try {
    await sent;
    return 'begun';
  } catch (error) {
    if (!(error instanceof RDSServiceException)) throw error;
    if (BUSY.test(error.name)) return 'busy';
    if (MISSING.test(error.name)) return 'missing';
    throw error;
  }
}

async function orMissing<T>(look: () => Promise<T>): Promise<T | 'missing'> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof RDSServiceException && MISSING.test(error.name)) return 'missing';
    throw error;
  }
}
