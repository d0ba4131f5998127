import { beginAudit } from '../../core/audit/parts.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Looks at everything of one archive but its data, and says which segments are to be read. */
export const handler = bucketStep(
  'audit-archive',
  (
    event: { readonly manifestKey: string; readonly segments: number | null },
    { settings, config, clock, log },
  ) =>
    beginAudit(event, config.expiry, {
      store: archiveStore(settings),
      clock,
      log,
      random: Math.random,
    }),
);
