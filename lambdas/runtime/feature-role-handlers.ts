import {
  advance,
  nextToAttach,
  nextToDetach,
  type Feature,
  type FeatureRoleDatabase,
} from '../../core/setup/feature-role.ts';
import type { Log } from '../../core/ports.ts';
import { providerHandlers, type ProviderEvent, type ProviderHandlers } from './provider.ts';

/** What the template says of an attachment. */
interface Properties {
  readonly kind: 'cluster' | 'instance';
  readonly identifier: string;
  readonly feature: Feature;
  readonly roleArn: string;
}

export type FeatureRoleEvent = ProviderEvent<Properties>;

/** Handlers that attach a role to an existing database and detach it again. */
export function featureRoleHandlers(
  open: (kind: 'cluster' | 'instance', identifier: string) => FeatureRoleDatabase,
  log: Log,
): ProviderHandlers<Properties> {
  return providerHandlers<Properties>({
    step: ({ RequestType, ResourceProperties, OldResourceProperties: old }) => {
      const { kind, identifier, feature, roleArn } = ResourceProperties;
      const ports = { database: open(kind, identifier), log };
      if (RequestType === 'Delete') return advance(nextToDetach, { feature, roleArn }, ports);
      return advance(nextToAttach, { feature, roleArn, previousRoleArn: old?.roleArn }, ports);
    },
    describe: ({ kind, identifier, feature }) => `the role for ${feature} at ${kind} ${identifier}`,
    // Another database is another attachment; another role takes the place of ours.
    physicalId: ({ kind, identifier, feature }) => `${kind}/${identifier}/${feature}`,
  });
}
