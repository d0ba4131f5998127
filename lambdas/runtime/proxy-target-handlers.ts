import type { Log } from '../../core/ports.ts';
import {
  attachTarget,
  detachTarget,
  type ProxyTarget,
  type ProxyTargetGroup,
} from '../../core/setup/proxy-target.ts';
import { providerHandlers, type ProviderEvent, type ProviderHandlers } from './provider.ts';

/** What the template says of a proxy and its target. */
export interface ProxyTargetProperties {
  readonly proxyName: string;
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly maxConnectionsPercent: string;
  readonly maxIdleConnectionsPercent: string;
  readonly borrowTimeoutSeconds: string;
}

export type ProxyTargetEvent = ProviderEvent<ProxyTargetProperties>;

/** Handlers that register a database with an RDS Proxy and deregister it again. */
export function proxyTargetHandlers(
  open: (proxyName: string) => ProxyTargetGroup,
  log: Log,
): ProviderHandlers<ProxyTargetProperties> {
  return providerHandlers<ProxyTargetProperties>({
    step: ({ RequestType, ResourceProperties: wanted, OldResourceProperties: old }) => {
      const ports = { group: open(wanted.proxyName), log };
      const target = { kind: wanted.kind, identifier: wanted.identifier };
      if (RequestType === 'Delete') return detachTarget(target, ports);
      return attachTarget({ target, pool: poolOf(wanted), previous: previousOf(wanted, old) }, ports);
    },
    describe: ({ kind, identifier, proxyName }) => `the target ${kind} ${identifier} of ${proxyName}`,
    // Another proxy is another resource; another database takes the place of ours.
    physicalId: ({ proxyName }) => `${proxyName}/target`,
  });
}

/** The target that this stack registered with the same proxy before. */
function previousOf(
  wanted: ProxyTargetProperties,
  old: Partial<ProxyTargetProperties> = {},
): ProxyTarget | undefined {
  const { proxyName, kind, identifier } = old;
  if (proxyName !== wanted.proxyName || kind === undefined || identifier === undefined) return undefined;
  return { kind, identifier };
}

function poolOf(properties: ProxyTargetProperties) {
  return {
    maxConnectionsPercent: Number(properties.maxConnectionsPercent),
    maxIdleConnectionsPercent: Number(properties.maxIdleConnectionsPercent),
    borrowTimeoutSeconds: Number(properties.borrowTimeoutSeconds),
  };
}
