import { expect, test } from '@jest/globals';
import type { FoundArchive } from '../../../core/audit/find.ts';
import { findReport } from '../../../core/audit/find-report.ts';
import { parseFindRequest } from '../../../core/audit/find-request.ts';

const archive: FoundArchive = {
  manifestKey: 'db/public/orders/202101/manifest/0.json',
  versionId: 'v',
  archiveId: '0',
  database: 'db',
  parent: { schema: 'public', table: 'orders' },
  partition: { schema: 'public', table: 'Orders_p1' },
  period: '202101',
  lowerBound: '2021-01-01',
  upperBound: '2021-02-01',
  rows: 2,
  bytes: 20,
  archivedAt: '2026-01-01T00:00:00Z',
  systemIdentifier: '42',
};

test('a report of few shows them all', () => {
  const { summary, archives } = findReport({
    archives: [archive],
    overlapping: [],
    unreadable: [{ manifestKey: 'k', problem: 'no JSON' }],
  });
  expect(summary).toBe('1 archive (2 rows, 20 bytes); 1 manifest not readable');
  expect(archives[0]).toMatchObject({ partition: 'public."Orders_p1"', period: '202101' });
});

// Seen to fail (an output beyond 256 KiB, which ends the execution) without: truncate in core/audit/find-report.ts.
test('a report of many fits into an output, and says how to see the others', () => {
  const archives = Array.from({ length: 5000 }, () => archive);
  const unreadable = Array.from({ length: 5000 }, () => ({ manifestKey: 'key', problem: 'ä'.repeat(1000) }));
  const overlapping = Array.from({ length: 2500 }, () => [archive, archive]);
  const report = findReport({ archives, overlapping, unreadable });
  expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(200 * 1024);
  expect(report.summary).toMatch(
    /^5000 archives \(10000 rows, 100000 bytes\); 5000 manifests not readable; of 2500 periods there is more than one: /,
  );
  expect(report.summary).toContain('narrow the input by partitionSet, from or to');
  expect(report.notShown).toBe(10_000 - report.archives.length - report.unreadable.length);
});

test('a request is for one database and one set, as PostgreSQL reads the name', () => {
  expect(parseFindRequest({ partitionSet: 'Shop."Or""ders"', from: '2021' }, 'db')).toEqual({
    database: 'db',
    schema: 'shop',
    table: 'Or"ders',
    from: '2021',
  });
  expect(parseFindRequest(undefined, 'db')).toEqual({ database: 'db' });
});

test.each([
  [{ table: 'orders' }, 'table: "orders" is not allowed: there is no such setting'],
  [{ partitionSet: 'orders' }, 'is no name of the form schema.table'],
  [{ from: 2021 }, 'from: 2021 is not allowed'],
  [['public.orders'], 'the input'],
])('an input that means nothing: %j', (input, message) => {
  expect(() => parseFindRequest(input, 'db')).toThrow(message);
});
