import { expect, test } from '@jest/globals';
import { recordAudit } from '../../../core/audit/record.ts';
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

test.each([{}, { database: 'shop' }, { sample: { archives: 10, segments: 4 } }])(
  'an audit with %j counts',
  async (input) => {
    expect(await record(input)).toEqual({
      recorded: [['audit-of-may', { archives: 10, segmentsRead: 40, bytesRead: 1_000_000 }]],
      published: [['audit', 0]],
    });
  },
);

// Seen to fail without the look at the query: an audit of one table, or of archives under a former name, would keep quiet about
// all others.
test.each([
  { partitionSet: 'app.event' },
  { from: '2021' },
  { to: '2021', sample: { archives: 1 } },
  { database: 'shop_old' },
])('one with %j does not count', async (input) => {
  expect(await record(input)).toEqual({ recorded: [], published: [] });
});
