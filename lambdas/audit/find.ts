import { find } from '../../core/audit/find.ts';
import { findReport } from '../../core/audit/find-report.ts';
import { parseFindRequest } from '../../core/audit/find-request.ts';
import { bucketStep } from '../runtime/bucket-step.ts';
import { archiveStore } from '../runtime/store.ts';

/** Finds the archives of a table and a range, from the manifests alone. */
export const handler = bucketStep('find', async ({ input }: { input: unknown }, { settings }) =>
  findReport(await find(parseFindRequest(input, settings.databaseName), { store: archiveStore(settings) })),
);
