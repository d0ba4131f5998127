import type { Log } from '../ports.ts';

/** A database as a target of an RDS Proxy. */
export interface ProxyTarget {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
}

/** How a proxy uses connections of its target; percentages are of the target's `max_connections`. */
export interface ConnectionPool {
  readonly maxConnectionsPercent: number;
  readonly maxIdleConnectionsPercent: number;
  readonly borrowTimeoutSeconds: number;
}

/** What came of a change: RDS has begun it, is busy at the moment, or knows no such proxy. */
export type ProxyAnswer = 'begun' | 'busy' | 'missing';

/** The default target group of one RDS Proxy. */
export interface ProxyTargetGroup {
  /** The databases that are registered, whatever their health; `missing` where RDS knows no such proxy. */
  targets(): Promise<readonly ProxyTarget[] | 'missing'>;
  register(target: ProxyTarget): Promise<ProxyAnswer>;
  deregister(target: ProxyTarget): Promise<ProxyAnswer>;
  setPool(pool: ConnectionPool): Promise<ProxyAnswer>;
}

/** The target that the proxy is to have, and the one of ours that it takes the place of. */
export interface WantedTarget {
  readonly target: ProxyTarget;
  readonly pool: ConnectionPool;
  readonly previous?: ProxyTarget | undefined;
}

interface Ports {
  readonly group: ProxyTargetGroup;
  readonly log: Log;
}

/**
 * Takes one step towards a proxy whose one target is the database, and returns whether that is reached; called again
 * until it is. The health of the target is not waited for: a target is healthy when the proxy can log in, and the roles
 * that it logs in as are made after the deployment, by *PrepareDatabase*.
 */
export async function attachTarget({ target, pool, previous }: WantedTarget, ports: Ports): Promise<boolean> {
  const registered = await ports.group.targets();
  if (registered === 'missing') throw new Error('RDS knows no such proxy');
  const other = registered.find((each) => !isSame(each, target));
  if (other !== undefined) {
    if (previous === undefined || !isSame(other, previous)) {
      throw new Error(
        `the proxy has ${other.kind} ${other.identifier} as its target already, which this stack did not register`,
      );
    }
    return begun('deregister', await ports.group.deregister(other), ports);
  }
  if (registered.length === 0) return begun('register', await ports.group.register(target), ports);
  // Last, and at each change of the settings: it is the same however often it is done.
  const answer = await ports.group.setPool(pool);
  ports.log.info('proxy-target', { action: 'setPool', answer });
  return answer === 'begun';
}

/** Takes one step towards a proxy without the target. A proxy that is gone has none. */
export async function detachTarget(target: ProxyTarget, ports: Ports): Promise<boolean> {
  const registered = await ports.group.targets();
  if (registered === 'missing' || !registered.some((each) => isSame(each, target))) return true;
  const answer = await ports.group.deregister(target);
  ports.log.info('proxy-target', { action: 'deregister', answer });
  return answer === 'missing';
}

function begun(action: string, answer: ProxyAnswer, { log }: Ports): boolean {
  log.info('proxy-target', { action, answer });
  if (answer === 'missing') throw new Error('RDS knows no such proxy');
  return false;
}

function isSame(one: ProxyTarget, other: ProxyTarget): boolean {
  // RDS keeps identifiers in lower case.
  return one.kind === other.kind && one.identifier.toLowerCase() === other.identifier.toLowerCase();
}
