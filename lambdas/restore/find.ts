import { restoreDatabase } from '../../adapters/postgres/restore/database.ts';
import { findRestore } from '../../core/restore/begin.ts';
import type { ArchiveRef, RestoreOptions } from '../../core/restore/request.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { step } from '../runtime/step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Looks what there is of a restore before S3 is asked for anything. */
export const handler = step(
  'find-restore',
  (
    {
      archive,
      options,
      execution,
      config,
    }: { archive: ArchiveRef; options: RestoreOptions | 'drill'; execution: string } & WithConfig,
    { settings, open, remainingMs },
  ) =>
    findRestore(archive, options === 'drill' ? { drill: execution } : options, {
      database: restoreDatabase({ open, timeoutMs: remainingMs }),
      store: archiveStore(settings),
      acceptedPublications: readRuntimeConfig(config, 'none, too').acceptedPublications,
    }),
);
