import { convertNext } from '../../core/query/convert-next.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';
import { archiveStore } from '../runtime/store.ts';

/** One turn of a conversion: adds up the last results, and names the next archives without a copy. */
export const handler = bucketStep(
  'convert-next',
  ({ config, ...event }: Parameters<typeof convertNext>[0] & WithConfig, { settings }) =>
    convertNext(event, {
      store: archiveStore(settings),
      databases: [settings.databaseName, ...settings.formerNames],
      partitionSets: readRuntimeConfig(config).partitionSets,
    }),
);
