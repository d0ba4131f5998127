import type { DescribedArchive, ShownSet } from '../../core/page/archives.ts';
import type { PeriodFacts } from '../../core/page/facts.ts';
import type { PageInput } from '../../core/page/page.ts';
import { archiveKey, type StoredArchive } from '../../core/page/storage.ts';
import type { PartitionState } from '../../core/partition.ts';
import { manifestOf } from './memory-store.ts';

/** What breaks out of HTML, of an attribute, of a line and of a shell, if it is let. */
export const HOSTILE = `"><script>alert(1)</script>'&\u202e\u0007$(id)`;

/** A set of months, or of so many months, from `year` on, the archived ones among them described. */
export function shownSet(
  table: string,
  year: number,
  states: readonly PartitionState[],
  {
    changes = () => ({}),
    blocked = ['PartitionRefused', 'it has children'],
    step = 1,
  }: {
    readonly changes?: (index: number) => Partial<StoredArchive>;
    readonly blocked?: readonly [string, string];
    /** Months of a period. */
    readonly step?: number;
  } = {},
): ShownSet {
  const stored = new Map<string, StoredArchive>();
  const described: DescribedArchive[] = [];
  const periods = states.map((state, index): PeriodFacts => {
    const [y, month] = [year + Math.floor((index * step) / 12), ((index * step) % 12) + 1];
    const period = `${String(y)}${String(month).padStart(2, '0')}`;
    if (!['verified', 'dropped', 'restored'].includes(state)) {
      return { period, state, archive: null, ...(state === 'blocked' && { blocked }) };
    }
    const archiveId = `${period}ab-89ab-4def-8123-456789abcdef`;
    const archive: StoredArchive = {
      period,
      archiveId,
      manifestKey: `production/app/${table}/${period}/manifest/${archiveId}.json`,
      textBytes: 2_500_000_000,
      exportedAt: new Date('2026-11-01T00:00:00Z'),
      copyBytes: null,
      textClasses: ['STANDARD'],
      isCold: false,
      paid: { STANDARD: 2_500_000_000 },
      ...changes(index),
    };
    stored.set(archiveKey(period, archiveId), archive);
    const manifest = manifestOf({
      archiveId,
      source: { systemIdentifier: '1', database: 'production', postgresql: '15.18', extensions: {} },
      partition: {
        parentSchema: 'app',
        parentName: table,
        period,
        lowerBound: `${String(y)}-${String(month).padStart(2, '0')}-01 00:00:00+00`,
        upperBound: `${String(month === 12 ? y + 1 : y)}-${String((month % 12) + 1).padStart(2, '0')}-01 00:00:00+00`,
      },
    });
    const sha256 = 'a'.repeat(64);
    described.unshift({ stored: archive, problem: null, manifest, sha256, versionId: 'v1-0123456789abcdef' });
    return { period, state, archive: archiveId.slice(0, 8) };
  });
  const facts = { schema: 'app', table, prefixes: [`production/app/${table}/`], periods, older: 0 };
  return { facts, stored, described, ddl: `CREATE TABLE app.${table} (\n  id bigint\n);\n` };
}

/** A page of these sets. */
export const pageOf = (...sets: ShownSet[]): PageInput => ({
  madeAt: '2026-11-29T12:00:00.000Z',
  bucket: 'archive',
  sets,
  lastAudit: '2026-11-15T04:00:00.000Z',
  lastDrill: null,
});

/** Months of one state. */
export const months = (count: number, state: PartitionState): PartitionState[] =>
  Array.from({ length: count }, () => state);
