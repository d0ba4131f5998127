import { expect, test } from '@jest/globals';
import { recordAudit } from '../../../core/audit/record.ts';
import { measureLastSuccess } from '../../../core/last-success.ts';
import { ArchiverError } from '../../../core/errors.ts';
import { fakeLog } from '../../support/fakes.ts';

const report = { archives: 10, segmentsRead: 40, bytesRead: 1_000_000, summary: 'left out' };

async function record(input: unknown): Promise<{ recorded: unknown[]; published: unknown[] }> {
  const recorded: unknown[] = [];
  const published: unknown[] = [];
  const answer = await recordAudit(
    { input, report, execution: 'audit-of-may' },
    {
      databaseName: 'shop',
      database: { recordAudit: async (...audit) => void recorded.push(audit) },
      metrics: { lastSuccess: (...age) => void published.push(age) },
      log: fakeLog(),
    },
  );
  expect(answer.recorded).toBe(recorded.length === 1);
  return { recorded, published };
}

test.each([{}, { sample: { archives: 10, segments: 4 } }])('an audit with %j counts', async (input) => {
  expect(await record(input)).toEqual({
    recorded: [['audit-of-may', { archives: 10, segmentsRead: 40, bytesRead: 1_000_000 }]],
    published: [['audit', 0]],
  });
});

// Seen to fail without the look at the query: an audit of one table would keep quiet about all others.
test.each([{ partitionSet: 'app.event' }, { from: '2021' }, { to: '2021', sample: { archives: 1 } }])(
  'one with %j does not count',
  async (input) => {
    expect(await record(input)).toEqual({ recorded: [], published: [] });
  },
);

test('what was never there is not published, and what cannot be told spoils nothing', async () => {
  const published: unknown[] = [];
  const log = fakeLog();
  const ports = { metrics: { lastSuccess: (...age: unknown[]) => void published.push(age) }, log };
  await measureLastSuccess({
    database: { daysSinceSuccess: () => Promise.resolve({ drill: null, audit: 0 }) },
    ...ports,
  });
  expect(published).toEqual([['audit', 0]]);
  const lost = new ArchiverError('DatabaseUnavailable', 'no connection');
  await measureLastSuccess({ database: { daysSinceSuccess: () => Promise.reject(lost) }, ...ports });
  expect(log.lines).toMatchObject([{ event: 'progress', fields: { error: 'DatabaseUnavailable' } }]);
});
