import { GlueClient } from '@aws-sdk/client-glue';
import { glueCatalog } from '../../adapters/glue/catalog.ts';
import { ArchiverError } from '../../core/errors.ts';
import type { Catalog } from '../../core/query/catalog.ts';
import type { BucketSettings } from './settings.ts';

/** The Glue database that is configured. */
export function catalogOf(glueDatabase: string | undefined, { region, archiver }: BucketSettings): Catalog {
  if (glueDatabase === undefined) throw new ArchiverError('InvalidConfiguration', 'there is no glueDatabase');
  return glueCatalog(new GlueClient({ region, maxAttempts: 5 }), glueDatabase, archiver);
}
