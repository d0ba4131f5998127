import { GlueClient } from '@aws-sdk/client-glue';
import { glueCatalog } from '../../adapters/glue/catalog.ts';
import { ArchiverError } from '../../core/errors.ts';
import { listArchives, NOTHING_LISTED, type ListProgress } from '../../core/query/catalog.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { archiveStore } from '../runtime/store.ts';

type Event = Omit<Parameters<typeof listArchives>[0], 'progress'> & {
  readonly progress?: ListProgress;
} & WithConfig;

/** Makes the Glue database show a page of archives as the ledger says. */
export const handler = bucketStep(
  'list-archives',
  ({ config, ...event }: Event, { settings, clock, log }) => {
    const { glueDatabase, expiry } = readRuntimeConfig(config, 'none, too');
    if (glueDatabase === undefined)
      throw new ArchiverError('InvalidConfiguration', 'there is no glueDatabase');
    const client = new GlueClient({ region: settings.region, maxAttempts: 5 });
    return listArchives(
      { ...event, progress: event.progress ?? NOTHING_LISTED },
      {
        catalog: glueCatalog(client, glueDatabase, settings.archiver),
        store: archiveStore(settings),
        expiry,
        clock,
        log,
      },
    );
  },
);
