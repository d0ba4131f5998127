import { displayName } from '../partition.ts';
import { minute } from './html.ts';
import type { PageFacts, SetFacts } from './facts.ts';
import { lookOf, LOOKS, type Look } from './looks.ts';
import type { StoredArchives } from './storage.ts';

/** A letter for each period, as lines of text. */
export function reportLines(
  sets: readonly { readonly facts: SetFacts; readonly stored: StoredArchives }[],
  { lastAudit, lastDrill }: Pick<PageFacts, 'lastAudit' | 'lastDrill'>,
  looks: readonly Look[] = Object.keys(LOOKS) as Look[],
): string[] {
  const legend = looks.map((look) => `${LOOKS[look].letter} ${LOOKS[look].words}`);
  const lines = sets.flatMap(({ facts: { schema, table, periods, older }, stored }) => {
    const letters = periods.map((period) => LOOKS[lookOf(period, stored)].letter).join('');
    return [
      `${displayName(schema, table)}${older === 0 ? '' : ` (${older} older periods are not shown)`}`,
      `  ${periods[0]?.period ?? ''} ${letters} ${periods.at(-1)?.period ?? ''}`,
    ];
  });
  const checks = `last audit without a finding: ${minute(lastAudit)}; last successful restore drill: ${minute(lastDrill)}`;
  return [...lines, '', checks, legend.join(', ')];
}

/** What only the bucket knows. */
const STORED: readonly Look[] = ['proven-cold', 'queryable', 'queryable-cold'];

/** The same by the ledger alone, without a look into the bucket: all that is archived is `p`. */
export const ledgerLines = (facts: PageFacts): string[] => [
  ...reportLines(
    facts.sets.map((set) => ({ facts: set, stored: new Map() })),
    facts,
    (Object.keys(LOOKS) as Look[]).filter((look) => !STORED.includes(look)),
  ),
  'by the ledger alone; report also shows which archives have a Parquet copy, and which lie in Glacier',
];
