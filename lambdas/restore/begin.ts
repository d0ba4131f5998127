import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { beginRestore } from '../../core/restore/begin.ts';
import type { ArchiveRef, RestoreOptions } from '../../core/restore/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Checks everything that a restore needs and makes the bare table, out of sight. */
export const handler = step(
  'begin-restore',
  (
    {
      archive,
      options,
      execution,
      config,
    }: { archive: ArchiveRef; options: RestoreOptions | 'drill'; execution: string } & WithConfig,
    { settings, open, remainingMs, clock },
  ) =>
    beginRestore(archive, options === 'drill' ? { drill: execution } : options, {
      database: restoreDatabase({ open, timeoutMs: remainingMs }),
      store: archiveStore(settings),
      clock,
      acceptedPublications: readRuntimeConfig(config, 'none, too').acceptedPublications,
    }),
);
