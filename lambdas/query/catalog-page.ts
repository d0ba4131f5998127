import { catalogPage } from '../../core/query/leftovers.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { catalogOf } from '../runtime/catalog.ts';
import { readRuntimeConfig, type WithConfig } from '../runtime/settings.ts';

/** Takes leftovers out of the Glue database, and names what it shows next. */
export const handler = bucketStep(
  'catalog-page',
  ({ config, ...event }: Parameters<typeof catalogPage>[0] & WithConfig, { settings, log }) => {
    const { glueDatabase } = readRuntimeConfig(config, 'none, too');
    return catalogPage(event, { catalog: catalogOf(glueDatabase, settings), log });
  },
);
