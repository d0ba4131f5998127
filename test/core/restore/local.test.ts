import { expect, test } from '@jest/globals';
import { ArchiverError } from '../../../core/errors.ts';
import type { RestoreDatabase } from '../../../core/restore/database.ts';
import { restoreAll } from '../../../core/restore/local.ts';
import type { OutcomeDatabase } from '../../../core/restore/report.ts';
import { fakeClock, fakeLog, fakePort } from '../../support/fakes.ts';
import { manifestOf, memoryStore } from '../../support/memory-store.ts';

// Seen to fail without the catch around recordRestoreFailure() in core/restore/local.ts: DatabaseUnavailable, and no report.
test('a failure that cannot even be recorded does not stop the other archives', async () => {
  const store = memoryStore();
  for (const month of ['01', '02', '03']) {
    const bounds = {
      lowerBound: `2000-${month}-01`,
      upperBound: `2000-${month}-28`,
      period: `2000-${month}`,
    };
    await store.putManifest(manifestOf({ partition: { name: `flights_p${month}`, ...bounds } }));
  }
  const unavailable = (): Promise<never> =>
    Promise.reject(new ArchiverError('DatabaseUnavailable', 'no connection'));
  let records = 0;
  const outcomes: OutcomeDatabase = {
    record: () => {
      records += 1;
      return unavailable();
    },
    outcomes: async () => [],
  };
  const restoring = restoreAll(
    { partitionSet: 'public.flights' },
    {
      database: fakePort<RestoreDatabase>({ find: unavailable }),
      store,
      outcomes,
      clock: fakeClock(),
      log: fakeLog(),
      segmentsAtOnce: 1,
      archivesAtOnce: 1,
      databaseName: 'db',
      execution: 'here',
    },
  );
  await expect(restoring).rejects.toMatchObject({
    code: 'PartitionsFailed',
    message: expect.stringMatching(/^0 restored and proven .*, 3 failed\n(.*it was not finished.*\n?){3}$/),
  });
  // Each is tried again for seconds.
  expect(records).toBe(12);
});
