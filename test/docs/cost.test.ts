/** The cost page: what it multiplies, adds and counts. The prices themselves nobody here can look up. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { STORAGE_PRICES } from '../../core/page/prices.ts';
import { resources, synthesise, withAdministrator, withQuery } from '../lib/synthesise.ts';
import {
  AUDIT_METRICS,
  COPY_METRICS,
  HEARTBEAT_METRICS,
  RUN_METRICS,
  SET_METRICS,
} from '../../core/config/metrics.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/cost.md'), 'utf8');

/** Rows of all tables, each under the header of its table. */
const rows = page.split('\n\n').flatMap((block) => {
  const lines = block.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) => line.split('|').slice(1, -1));
  const [header = [], , ...body] = cells.map((row) => row.map((cell) => cell.trim()));
  return body.map((row) => ({ header, row }));
});
const number = (text = ''): number => Number(/[\d,]*\d(\.\d+)?/.exec(text)?.[0].replaceAll(',', ''));
const inCents = (dollars: number): string => (Math.round(dollars * 100 + 1e-6) / 100).toFixed(2);
const sized = rows.filter(({ header }) => header[1] === '$ per GB');

test('there is something to calculate', () => {
  expect(sized).toHaveLength(23);
});

test.each(sized.map(({ header, row }) => [row[0], header, row] as const))(
  '%s: the price of a gigabyte, multiplied',
  (_, header, row) => {
    const perGb = number(row[1]);
    row.slice(2).forEach((cell, index) => {
      if (cell !== '–')
        expect(cell).toBe(inCents(perGb * number(/[\d,]+(?= GB)/.exec(header[index + 2]!)?.[0])));
    });
  },
);

test('the page on the archive counts with the prices of this page', () => {
  const names = {
    STANDARD: 'archive in S3 Standard',
    STANDARD_IA: '… Standard-IA',
    GLACIER_IR: '… Glacier Instant Retrieval',
    GLACIER: '… Glacier Flexible Retrieval',
    DEEP_ARCHIVE: '… Glacier Deep Archive',
  };
  for (const [storageClass, price] of Object.entries(STORAGE_PRICES.perGb)) {
    const [row] = sized.filter(({ row: [name = ''] }) =>
      name.startsWith(names[storageClass as keyof typeof names]),
    );
    expect([storageClass, number(row?.row[1])]).toEqual([storageClass, price]);
  }
  const [, day, month, year] = /Prices are of\s+(\d+) (\w+) (\d+)/.exec(page) ?? [];
  expect(new Date(`${day} ${month} ${year} UTC`).toISOString().slice(0, 10)).toBe(STORAGE_PRICES.lookedUp);
  expect(page).toContain(STORAGE_PRICES.region);
});

/** The row that begins so. */
function running(begin: string): string[] {
  const found = rows.filter(({ row }) => row[0]?.startsWith(begin));
  expect(found).toHaveLength(1);
  return found[0]!.row;
}

test('as many alarms and metrics as there are', () => {
  const alarms = readFileSync(join(ROOT, 'lib/monitoring/alarms.ts'), 'utf8');
  const always = [...alarms.matchAll(/this\.alarm\('(?!OperationInterrupted|ConvertFailed|CopiesLate)/g)]
    .length;
  const onSchedule = [...alarms.matchAll(/this\.missed\('/g)].length;
  // Parts of composite alarms have no action of their own.
  const parts = readFileSync(join(ROOT, 'lib/monitoring/missed-runs.ts'), 'utf8');
  const all = always + [...parts.matchAll(/new cloudwatch\.Alarm\(scope, '/g)].length;
  expect(running(`${all} alarms`)).toEqual([expect.anything(), '0.10 each', inCents(0.1 * all)]);
  const composites = [...alarms.matchAll(/this\.composite\('/g)].length;
  expect(running('two composite alarms')[2]).toBe(inCents(0.5 * composites));
  const count = (...groups: object[]): number => groups.flatMap(Object.keys).length;
  const ofArchiver = count(RUN_METRICS, SET_METRICS, HEARTBEAT_METRICS);
  const ofSet = count(SET_METRICS);
  expect(running('metrics').slice(1)).toEqual([
    `0.30 each: ${ofArchiver} for the archiver, ${ofSet} for each set`,
    `${inCents(0.3 * (ofArchiver + ofSet))} with one set`,
  ]);
  const ofQueries = [...alarms.matchAll(/this\.alarm\('(ConvertFailed|CopiesLate)/g)].length;
  const ofCopies = count(COPY_METRICS);
  expect({ ofQueries, ofCopies }).toEqual({ ofQueries: 2, ofCopies: 1 });
  expect(page).toContain(
    `two alarms at 0.10 **[s]**, a metric at 0.30 **[s]** and the alarm on *Convert* at 0.30 **[s]** more are\n${inCents(ofQueries * 0.1 + ofCopies * 0.3 + 0.3)}`,
  );
  const ofAudits = count(AUDIT_METRICS);
  expect(page).toContain(`${onSchedule} alarms more at 0.10`);
  expect(page).toMatch(
    new RegExp(`${ofAudits} metrics more at 0.30 .*: ${inCents(onSchedule * 0.1 + ofAudits * 0.3)} together`),
  );
});

// Seen to fail with the number of workflows that the page had.
test('an alarm on interruptions of each other workflow, with an administrator, with query, and without', () => {
  const [metrics, withAdmin, withCopies] = [{}, withAdministrator(), withQuery()].map(metricsOfInterruptions);
  const priced = (count = 0): string => `${inCents(0.1 * count)} for ${count / 3}`;
  expect(running('alarms on each other workflow')[2]).toBe(
    `${priced(metrics)} workflows, ${priced(withAdmin)} with an administrator`,
  );
  // That of Convert, which the page counts with the Parquet copies.
  expect(withCopies! - metrics!).toBe(3);
});

/** Metrics of the alarms OperationInterrupted; an alarm costs by each. */
function metricsOfInterruptions(changes: object): number {
  const alarms = resources(synthesise(changes), 'AWS::CloudWatch::Alarm');
  return alarms
    .filter(([id]) => id.includes('OperationInterrupted'))
    .flatMap(([, { Properties }]) => Properties['Metrics'] as object[])
    .filter((each) => 'MetricStat' in each).length;
}

test('the sum of a month is that of its rows, with the proxy and without', () => {
  const fixed = [
    'four secrets',
    'two KMS keys',
    '17 alarms',
    'two composite alarms',
    'alarms on each other',
    'metrics',
  ].map((row) => number(running(row)[2]));
  const rest = fixed.reduce((sum, each) => sum + each, 0);
  const proxy = number(running('RDS Proxy')[2]);
  const [, withProxy, without] = /about \*\*(\d+) a month\*\* .* about \*\*(\d+)\*\*/.exec(page) ?? [];
  expect([withProxy, without]).toEqual([String(Math.round(rest + proxy)), String(Math.round(rest))]);
  for (const { row } of rows.filter(({ header }) => header[1] === 'runs and storage')) {
    expect(row[1]).toMatch(new RegExp(`^${withProxy} \\+ `));
  }
});
