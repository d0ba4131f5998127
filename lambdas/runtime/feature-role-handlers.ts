import {
  advance,
  nextToAttach,
  nextToDetach,
  type Feature,
  type FeatureRoleDatabase,
} from '../../core/setup/feature-role.ts';
import type { Log } from '../../core/ports.ts';

/** What the template says of an attachment. */
interface Properties {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly feature: Feature;
  readonly roleArn: string;
}

/** An event of the CDK's provider framework. */
export interface FeatureRoleEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Properties;
  readonly OldResourceProperties?: Partial<Properties>;
}

/** The two handlers of the provider framework. */
export interface FeatureRoleHandlers {
  readonly onEvent: (event: FeatureRoleEvent) => Promise<{ readonly PhysicalResourceId: string }>;
  readonly isComplete: (event: FeatureRoleEvent) => Promise<{ readonly IsComplete: boolean }>;
}

/**
 * Handlers that attach a role to an existing database and detach it again. Both take one step and leave the rest to
 * the next call of `isComplete`, so that a database that is busy, or a call that was lost, is only waited for.
 */
export function featureRoleHandlers(
  open: (kind: 'cluster' | 'instance', identifier: string) => FeatureRoleDatabase,
  log: Log,
): FeatureRoleHandlers {
  const step = async ({
    RequestType,
    ResourceProperties: wanted,
    OldResourceProperties: old,
  }: FeatureRoleEvent): Promise<boolean> => {
    const ports = { database: open(wanted.kind, wanted.identifier), log };
    const { kind, identifier, feature, roleArn } = wanted;
    try {
      if (RequestType === 'Delete') return await advance(nextToDetach, { feature, roleArn }, ports);
      return await advance(nextToAttach, { feature, roleArn, previousRoleArn: old?.roleArn }, ports);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${RequestType} of the role for ${feature} at ${kind} ${identifier}: ${reason}`, {
        cause: error,
      });
    }
  };
  return {
    onEvent: async (event) => {
      await step(event);
      return { PhysicalResourceId: physicalId(event.ResourceProperties) };
    },
    isComplete: async (event) => ({ IsComplete: await step(event) }),
  };
}

/** Another database is another attachment, whose old one is then deleted; another role takes the place of ours. */
function physicalId({ kind, identifier, feature }: Properties): string {
  return `${kind}/${identifier}/${feature}`;
}
