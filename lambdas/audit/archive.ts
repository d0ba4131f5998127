import { beginAudit } from '../../core/audit/parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { archiveStore } from '../runtime/store.ts';

/** Looks at everything of one archive but its data, and says which segments are to be read. */
export const handler = bucketStep(
  'audit-archive',
  (
    { config, ...event }: { readonly manifestKey: string; readonly segments: number | null } & WithConfig,
    { settings, clock, log },
  ) =>
    beginAudit(event, readRuntimeConfig(config, 'none, too').expiry, {
      store: archiveStore(settings),
      clock,
      log,
      random: Math.random,
    }),
);
