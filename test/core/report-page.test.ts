import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import type { LedgerRow, PartitionState } from '../../core/partition.ts';
import { reportLines, reportPage, type ReportInput } from '../../core/report-page.ts';

function row(period: string, state: PartitionState, changes: Partial<LedgerRow> = {}): LedgerRow {
  return {
    id: 1,
    state,
    schema: 'app',
    table: `t_${period}`,
    parentSchema: 'app',
    parentTable: 'event',
    lowerBound: '',
    upperBound: '',
    period,
    rows: 10,
    bytes: 2_500_000,
    manifestKey: null,
    dropAfter: null,
    quarantinedAt: null,
    verifiedAt: null,
    droppedAt: null,
    blockedCode: null,
    blockedReason: null,
    failedAt: null,
    failedCode: null,
    failedReason: null,
    ...changes,
  };
}

const input = (ledger: readonly LedgerRow[], copied: readonly string[] = []): ReportInput => ({
  madeAt: '2026-11-29T12:00:00.000Z',
  ledger,
  copies: new Map(
    copied.map((key) => [key, { archiveKey: key, rows: 10, textBytes: 2_500_000, copyBytes: 400_000 }]),
  ),
});

test('each period has a letter for how it stands, and a proven one with a copy another than one without', () => {
  const states: PartitionState[] = [
    'dropped',
    'verified',
    'exported',
    'blocked',
    'detached',
    'restored',
    'released',
    'missing',
    'attached',
  ];
  const ledger = states.map((state, index) =>
    row(`20250${String(index + 1)}`, state, index < 2 ? { manifestKey: `m${String(index)}` } : {}),
  );
  expect(reportLines(input(ledger, ['m0'])).slice(0, 2)).toEqual(['app.event', '  202501 spq!wroma 202509']);
  expect(reportPage(input(ledger, ['m0']))).toMatch(/>spq!wroma</);
});

// Seen to fail with the names not escaped.
test('names and reasons are text, whatever they are', () => {
  const hostile = `"><script>alert(1)</script>'&\u202e\u0007`;
  const ledger = [
    row('202501', 'dropped', { parentTable: hostile, manifestKey: hostile }),
    row(hostile, 'blocked', {
      parentTable: hostile,
      blockedCode: 'PartitionRefused',
      blockedReason: hostile,
    }),
  ];
  const page = reportPage(input(ledger));
  expect(page).not.toMatch(/<script|<\/script|onerror|javascript:/i);
  for (const sign of ['\u202e', '\u0007']) expect(page).not.toContain(sign);
  const outside = page.replaceAll(/<[^<>]*>/g, '');
  expect(outside).not.toMatch(/[<>]/);
  expect(
    page
      .match(/<\w+/g)
      ?.every((tag) =>
        /^<(html|head|meta|title|style|body|h1|p|span|b|section|h2|svg|path|text|details|summary|code|br|table|tr|th|td)$/.test(
          tag,
        ),
      ),
  ).toBe(true);
});

test('a hundred sets of ten years stay under 1 MB and a second', () => {
  const ledger = Array.from({ length: 100 }, (_, set) =>
    Array.from({ length: 120 }, (_, month) => {
      const period = `${String(2016 + Math.floor(month / 12))}${String((month % 12) + 1).padStart(2, '0')}`;
      const manifestKey = `production/app/event_${String(set)}/${period}/manifest/01234567-89ab-4def-8123-456789abcdef.json`;
      return row(period, 'dropped', { parentTable: `event_${String(set)}`, manifestKey });
    }),
  ).flat();
  const start = performance.now();
  const page = reportPage(
    input(
      ledger,
      ledger.map(({ manifestKey }) => manifestKey ?? ''),
    ),
  );
  expect(performance.now() - start).toBeLessThan(1000);
  expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
  expect(page).toContain('the latest 10 of 120');
});

test('an empty ledger is a page, too', () => {
  expect(reportPage(input([]))).toContain('0 partition sets');
  expect(reportLines(input([])).at(-1)).toMatch('a attached');
});

// Seen to fail with the name between quotes of its own: sh ended with "unterminated quoted string".
test('the commands of a set are what a shell reads, whatever the name is', () => {
  const page = reportPage(
    input([row('202501', 'dropped', { parentTable: `O'$1 "x"`, manifestKey: `a/b'c` })]),
  );
  const signs: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };
  const text = page.replaceAll(/&(#?\w+);/g, (entity, name: string) => signs[name] ?? entity);
  const commands = [...text.matchAll(/<code>npm run archive -- (.*?)<\/code>/g)].map(([, words = '']) =>
    execFileSync('sh', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' }),
  );
  const name = `app."O'$1 ""x"""`;
  expect(commands).toEqual([
    `query\nselect count(*) from ${name} where …\n--set\n${name}\n`,
    `restore\na/b'c\n`,
  ]);
});
