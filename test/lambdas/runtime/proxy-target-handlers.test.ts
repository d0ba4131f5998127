import { describe, expect, test } from '@jest/globals';
import { RDSServiceException, type RDSClient } from '@aws-sdk/client-rds';
import { proxyTargetGroup } from '../../../adapters/rds/proxy-target.ts';
import { silentLog } from '../../../core/ports.ts';
import {
  proxyTargetHandlers,
  type ProxyTargetEvent,
  type ProxyTargetProperties,
} from '../../../lambdas/runtime/proxy-target-handlers.ts';

interface Input {
  readonly DBProxyName: string;
  readonly DBClusterIdentifiers?: readonly string[];
  readonly DBInstanceIdentifiers?: readonly string[];
  readonly ConnectionPoolConfig?: object;
}

/** RDS with proxies. A database that is busy refuses for a while; no target is ever healthy. */
class FakeRds {
  readonly proxies = new Map<string, { targets: object[]; pool?: object }>();
  readonly calls: string[] = [];
  /** Calls that are refused, since the database or the proxy is in another state. */
  busyFor = 0;
  busyFault = 'InvalidDBClusterStateFault';

  readonly send = (async (command: { constructor: { name: string }; input: Input }): Promise<object> => {
    const name = command.constructor.name.replace(/DBProxy.*$/, '');
    const { DBProxyName, DBClusterIdentifiers, DBInstanceIdentifiers, ConnectionPoolConfig } = command.input;
    const proxy = this.proxies.get(DBProxyName);
    if (proxy === undefined) throw fault('DBProxyNotFoundFault');
    if (name === 'Describe') return { Targets: structuredClone(proxy.targets) };
    if (this.busyFor > 0) {
      this.busyFor -= 1;
      throw fault(this.busyFault);
    }
    const [identifier] = DBClusterIdentifiers ?? DBInstanceIdentifiers ?? [];
    this.calls.push([name, DBProxyName, identifier ?? ''].join(' ').trim());
    if (name === 'Register') {
      const isCluster = DBClusterIdentifiers !== undefined;
      proxy.targets = [
        { Type: isCluster ? 'TRACKED_CLUSTER' : 'RDS_INSTANCE', RdsResourceId: identifier },
        ...(isCluster
          ? [{ Type: 'RDS_INSTANCE', RdsResourceId: `${String(identifier)}-1`, TrackedClusterId: identifier }]
          : []),
      ];
    }
    if (name === 'Deregister') proxy.targets = [];
    if (name === 'Modify') proxy.pool = ConnectionPoolConfig ?? {};
    return {};
  }) as unknown as RDSClient['send'];
}

function fault(name: string): RDSServiceException {
  return new RDSServiceException({ name, $fault: 'client', message: 'on purpose', $metadata: {} });
}

const PROPERTIES: ProxyTargetProperties = {
  proxyName: 'archiver-1',
  kind: 'cluster',
  identifier: 'orders',
  maxConnectionsPercent: '20',
  maxIdleConnectionsPercent: '5',
  borrowTimeoutSeconds: '120',
};

function eventOf(
  RequestType: ProxyTargetEvent['RequestType'],
  changes: Partial<ProxyTargetProperties> = {},
  old?: Partial<ProxyTargetProperties>,
): ProxyTargetEvent {
  return {
    RequestType,
    ResourceProperties: { ...PROPERTIES, ...changes },
    ...(old === undefined ? {} : { OldResourceProperties: { ...PROPERTIES, ...old } }),
  };
}

/** As the framework does: `onEvent`, then `isComplete` until it is. */
async function apply(rds: FakeRds, event: ProxyTargetEvent): Promise<{ id: string; looks: number }> {
  const { onEvent, isComplete } = proxyTargetHandlers((name) => proxyTargetGroup(rds, name), silentLog);
  const { PhysicalResourceId: id } = await onEvent(event);
  for (let looks = 1; looks <= 20; looks += 1) if ((await isComplete(event)).IsComplete) return { id, looks };
  throw new Error('it is never complete');
}

function rdsWith(...proxies: string[]): FakeRds {
  const rds = new FakeRds();
  for (const name of proxies) rds.proxies.set(name, { targets: [] });
  return rds;
}

describe('a target that is created', () => {
  // No target is healthy here. Seen to fail where attachTarget waits for one (it is never complete).
  test('is registered, with the settings of the pool, and its health is not waited for', async () => {
    const rds = rdsWith('archiver-1');
    expect((await apply(rds, eventOf('Create'))).id).toBe('archiver-1/target');
    expect(rds.calls.slice(0, 2)).toEqual(['Register archiver-1 orders', 'Modify archiver-1']);
    expect(rds.proxies.get('archiver-1')).toMatchObject({
      targets: [{ RdsResourceId: 'orders' }, { RdsResourceId: 'orders-1' }],
      pool: { MaxConnectionsPercent: 20, MaxIdleConnectionsPercent: 5, ConnectionBorrowTimeout: 120 },
    });
  });

  test('may be an instance', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create', { kind: 'instance', identifier: 'legacy' }));
    expect(rds.proxies.get('archiver-1')?.targets).toMatchObject([{ RdsResourceId: 'legacy' }]);
  });

  test.each(['InvalidDBClusterStateFault', 'InvalidDBInstanceState', 'InvalidDBProxyStateFault'])(
    'waits while RDS says %s',
    async (busyFault) => {
      const rds = Object.assign(rdsWith('archiver-1'), { busyFor: 5, busyFault });
      const { looks } = await apply(rds, eventOf('Create'));
      expect(looks).toBeGreaterThan(5);
      expect(rds.proxies.get('archiver-1')?.targets).toHaveLength(2);
    },
  );

  test('is refused by a proxy that another stack uses', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create', { identifier: 'theirs' }));
    await expect(apply(rds, eventOf('Create'))).rejects.toThrow(/has cluster theirs as its target already/);
    expect(rds.proxies.get('archiver-1')?.targets).toHaveLength(2);
  });

  test('is refused where there is no such proxy', async () => {
    await expect(apply(rdsWith(), eventOf('Create'))).rejects.toThrow(/RDS knows no such proxy/);
  });
});

describe('a target that is updated', () => {
  test('has other settings of the pool, and stays registered', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create'));
    rds.calls.length = 0;
    await apply(rds, eventOf('Update', { maxConnectionsPercent: '30' }, {}));
    expect(new Set(rds.calls)).toEqual(new Set(['Modify archiver-1']));
    expect(rds.proxies.get('archiver-1')?.pool).toMatchObject({ MaxConnectionsPercent: 30 });
  });

  test('is another database, and the first one again when the update is rolled back', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create'));
    const { id } = await apply(rds, eventOf('Update', { identifier: 'billing' }, {}));
    expect(id).toBe('archiver-1/target');
    expect(rds.proxies.get('archiver-1')?.targets[0]).toMatchObject({ RdsResourceId: 'billing' });
    await apply(rds, eventOf('Update', {}, { identifier: 'billing' }));
    expect(rds.proxies.get('archiver-1')?.targets[0]).toMatchObject({ RdsResourceId: 'orders' });
  });

  test('rolled back before anything was done, stays', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create'));
    await apply(rds, eventOf('Update', {}, { identifier: 'billing' }));
    expect(rds.proxies.get('archiver-1')?.targets[0]).toMatchObject({ RdsResourceId: 'orders' });
  });

  test('of a proxy that was replaced, is registered with the new one, then deleted at the old one', async () => {
    const rds = rdsWith('archiver-1', 'archiver-2');
    await apply(rds, eventOf('Create'));
    const { id } = await apply(rds, eventOf('Update', { proxyName: 'archiver-2' }, {}));
    expect(id).toBe('archiver-2/target');
    await apply(rds, eventOf('Delete'));
    expect(rds.proxies.get('archiver-1')?.targets).toEqual([]);
    expect(rds.proxies.get('archiver-2')?.targets).toHaveLength(2);
  });
});

describe('a target that is deleted', () => {
  test('is deregistered', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create'));
    await apply(rds, eventOf('Delete'));
    expect(rds.proxies.get('archiver-1')?.targets).toEqual([]);
  });

  // Seen to fail where a proxy that is gone is an error: the stack could not be deleted.
  test('with its proxy gone, or the target already, is deleted', async () => {
    expect((await apply(rdsWith(), eventOf('Delete'))).looks).toBe(1);
    expect((await apply(rdsWith('archiver-1'), eventOf('Delete'))).looks).toBe(1);
  });

  test('leaves a target that is not its own', async () => {
    const rds = rdsWith('archiver-1');
    await apply(rds, eventOf('Create', { identifier: 'theirs' }));
    await apply(rds, eventOf('Delete'));
    expect(rds.proxies.get('archiver-1')?.targets).toHaveLength(2);
  });
});
