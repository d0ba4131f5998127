import { listArchives, NOTHING_LISTED, type ListProgress } from '../../core/query/catalog.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { catalogOf } from '../runtime/catalog.ts';
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
    return listArchives(
      { ...event, progress: event.progress ?? NOTHING_LISTED },
      {
        catalog: catalogOf(glueDatabase, settings),
        store: archiveStore(settings),
        expiry,
        clock,
        log,
      },
    );
  },
);
