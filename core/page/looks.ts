import type { PeriodFacts } from './facts.ts';
import { archiveKey, type StoredArchives } from './storage.ts';

/** How a period stands: a letter that says it without colour, and words. A capital letter: its text lies in Glacier. */
export const LOOKS = {
  attached: { letter: 'a', words: 'attached' },
  waiting: { letter: 'w', words: 'detached, waiting' },
  quarantined: { letter: 'q', words: 'quarantined, being archived' },
  proven: { letter: 'p', words: 'archived and proven' },
  'proven-cold': { letter: 'P', words: 'the same, in Glacier' },
  queryable: { letter: 's', words: 'proven, with a Parquet copy for SQL' },
  'queryable-cold': { letter: 'S', words: 'the same, text in Glacier' },
  restored: { letter: 'r', words: 'restored' },
  released: { letter: 'o', words: 'released to its owner' },
  missing: { letter: 'm', words: 'missing' },
  blocked: { letter: 'x', words: 'blocked' },
} as const;

export type Look = keyof typeof LOOKS;

/** How a period looks, by the ledger and what lies in the bucket. */
export function lookOf({ period, state, archive }: PeriodFacts, stored: StoredArchives): Look {
  switch (state) {
    case 'detached':
      return 'waiting';
    case 'exported':
      return 'quarantined';
    case 'verified':
    case 'dropped': {
      const found = archive === null ? undefined : stored.get(archiveKey(period, archive));
      const look = (found?.copyBytes ?? null) === null ? 'proven' : 'queryable';
      return found?.isCold === true ? `${look}-cold` : look;
    }
    default:
      return state;
  }
}

/** Neighbours that look the same, as words: `202101–202112 proven`. */
export function runsOf(periods: readonly PeriodFacts[], stored: StoredArchives): string[] {
  const runs: { look: Look; from: string; to: string }[] = [];
  for (const period of periods) {
    const look = lookOf(period, stored);
    const last = runs.at(-1);
    if (last?.look === look) last.to = period.period;
    else runs.push({ look, from: period.period, to: period.period });
  }
  return runs.map(({ look, from, to }) => `${from === to ? from : `${from}–${to}`} ${SHORT[look]}`);
}

const SHORT: Readonly<Record<Look, string>> = {
  attached: 'attached',
  waiting: 'waiting',
  quarantined: 'quarantined',
  proven: 'proven',
  'proven-cold': 'proven, in Glacier',
  queryable: 'queryable',
  'queryable-cold': 'queryable, text in Glacier',
  restored: 'restored',
  released: 'released',
  missing: 'missing',
  blocked: 'blocked',
};
