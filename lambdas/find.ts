import { find, type ArchiveQuery } from '../core/find.ts';
import { bucketStep } from './runtime/bucket-step.ts';
import { browsableStore } from './runtime/store.ts';

/** Lists the archives of a table and a range of time, from the manifests in the bucket alone. */
export const handler = bucketStep('find', ({ query }: { query: ArchiveQuery }, { settings }) =>
  find({ ...query, database: settings.databaseName }, { store: browsableStore(settings) }),
);
