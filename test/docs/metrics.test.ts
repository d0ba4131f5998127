import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  ARCHIVER_DIMENSION,
  AUDIT_METRICS,
  COPY_METRICS,
  HEARTBEAT_METRICS,
  METRIC_NAMESPACE,
  PARTITION_SET_DIMENSION,
  RUN_METRICS,
  SET_METRICS,
} from '../../core/config/metrics.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8');
const section = (title: string): string =>
  page.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';

// Seen to fail with a metric that is not on the page, and with another unit.
test.each([
  ['Metrics of a run', RUN_METRICS],
  ['Metrics of a partition set', SET_METRICS],
  ['Metrics of audits', AUDIT_METRICS],
  ['Metrics of the heartbeat', HEARTBEAT_METRICS],
  ['Metrics of copies', COPY_METRICS],
])('the page lists the metrics under "%s" with their units', (title, metrics) => {
  const rows = [...section(title).matchAll(/^\| `(\w+)` \| (\w+) \|/gm)];
  expect(Object.fromEntries(rows.map(([, name, unit]) => [name, unit]))).toEqual(metrics);
});

test('the page names namespace and dimensions', () => {
  expect(page).toContain(`Namespace \`${METRIC_NAMESPACE}\``);
  expect(page).toContain(`| \`${ARCHIVER_DIMENSION}\`, \`${PARTITION_SET_DIMENSION}\` |`);
});

// Seen to fail without the row of an alarm.
test('the page lists every alarm and no other', () => {
  const source = readFileSync(join(ROOT, 'lib', 'monitoring', 'alarms.ts'), 'utf8');
  const alarms = [...source.matchAll(/this\.(?:alarm|missed|composite)\('(\w+)'/g)].map(([, id]) => id);
  const rows = [...section('Alarms').matchAll(/^\| `(\w+)` \|/gm)].map(([, id]) => id);
  expect(alarms.length).toBeGreaterThan(5);
  expect(rows.sort()).toEqual(alarms.sort());
});

// Seen to fail with a metric that the archiver does not publish for itself.
test('the view of all stacks in docs/operations.md searches metrics that each archiver publishes', () => {
  const operations = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const [, block = ''] = /```json\n(\{\n {2}"type": "metric"[^]*?)```/.exec(operations) ?? [];
  const { properties } = JSON.parse(block) as {
    properties: { metrics: [{ expression: string }][] };
  };
  const searched = properties.metrics.map(
    ([{ expression }]) =>
      /^SEARCH\('\{PartitionArchiver,Archiver\} MetricName="(\w+)"', '(?:Min|Max)imum', 86400\)$/.exec(
        expression,
      )?.[1],
  );
  expect(searched).toHaveLength(3);
  for (const name of searched) expect({ ...SET_METRICS, ...HEARTBEAT_METRICS }).toHaveProperty(name ?? '');
});
