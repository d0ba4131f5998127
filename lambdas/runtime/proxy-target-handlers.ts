import type { Log } from '../../core/ports.ts';
import {
  attachTarget,
  detachTarget,
  type ProxyTarget,
  type ProxyTargetGroup,
} from '../../core/setup/proxy-target.ts';

/** What the template says of a proxy and its target. CloudFormation makes texts of numbers. */
export interface ProxyTargetProperties {
  readonly proxyName: string;
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly maxConnectionsPercent: string;
  readonly maxIdleConnectionsPercent: string;
  readonly borrowTimeoutSeconds: string;
}

/** An event of the CDK's provider framework. */
export interface ProxyTargetEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: ProxyTargetProperties;
  readonly OldResourceProperties?: Partial<ProxyTargetProperties>;
}

/** The two handlers of the provider framework. */
export interface ProxyTargetHandlers {
  readonly onEvent: (event: ProxyTargetEvent) => Promise<{ readonly PhysicalResourceId: string }>;
  readonly isComplete: (event: ProxyTargetEvent) => Promise<{ readonly IsComplete: boolean }>;
}

/**
 * Handlers that register a database with an RDS Proxy and deregister it again. Both take one step and leave the rest to
 * the next call of `isComplete`, so that a proxy or a database that is busy is only waited for.
 */
export function proxyTargetHandlers(
  open: (proxyName: string) => ProxyTargetGroup,
  log: Log,
): ProxyTargetHandlers {
  const step = async ({
    RequestType,
    ResourceProperties: wanted,
    OldResourceProperties: old,
  }: ProxyTargetEvent): Promise<boolean> => {
    const ports = { group: open(wanted.proxyName), log };
    const target = { kind: wanted.kind, identifier: wanted.identifier };
    try {
      if (RequestType === 'Delete') return await detachTarget(target, ports);
      return await attachTarget({ target, pool: poolOf(wanted), previous: previousOf(wanted, old) }, ports);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${RequestType} of the target ${target.kind} ${target.identifier} of ${wanted.proxyName}: ${reason}`,
        { cause: error },
      );
    }
  };
  return {
    onEvent: async (event) => {
      await step(event);
      // Another proxy is another resource, whose old one is then deleted; another database takes the place of ours.
      return { PhysicalResourceId: `${event.ResourceProperties.proxyName}/target` };
    },
    isComplete: async (event) => ({ IsComplete: await step(event) }),
  };
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
