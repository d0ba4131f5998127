import { counted } from '../counted.ts';
import { displayName } from '../partition.ts';
import { ARCHIVE_HEAD, archiveLines } from './archive-table.ts';
import type { ShownSet } from './archives.ts';
import { chart } from './chart.ts';
import type { PageFacts } from './facts.ts';
import { escape, escapeLines, minute, money, size } from './html.ts';
import { LOOKS, runsOf } from './looks.ts';
import { monthly, STORAGE_PRICES } from './prices.ts';
import { PAGE_STYLE } from './style.ts';

/** What the page is made of. */
export interface PageInput extends Pick<PageFacts, 'lastAudit' | 'lastDrill'> {
  /** ISO 8601. */
  readonly madeAt: string;
  readonly bucket: string;
  readonly sets: readonly ShownSet[];
}

/** Neighbouring periods that look the same, so many that they are read at a glance. */
const MOST_RUNS = 12;

/** Bytes that the page has at most: archives are described one by one as long as they fit. */
const MOST_BYTES = 980_000;

/** The archive on one page: HTML with inline SVG, and no script. Names are escaped, wherever they stand. */
export function reportPage(input: PageInput): string {
  const { sets, madeAt, bucket, lastAudit, lastDrill } = input;
  const all = sets.map(totalsOf);
  const total = (of: (totals: Totals) => number): number => all.reduce((sum, each) => sum + of(each), 0);
  const facts: [string, string][] = [
    ['as of', minute(madeAt)],
    ['bucket', bucket],
    ['archives', `${total(({ archives }) => archives)}, of ${counted(sets.length, 'partition set')}`],
    [
      'stored',
      `${size(total(({ text }) => text))} of text, ${size(total(({ copies }) => copies))} of Parquet`,
    ],
    ['storage', `${money(total(({ dollars }) => dollars))} a month: ${PRICES}`],
    ['last audit without a finding', minute(lastAudit)],
    ['last successful restore drill', minute(lastDrill)],
  ];
  const legend = Object.entries(LOOKS).map(
    ([look, { letter, words }]) => `<li><b class="${look}">${letter}</b> ${words}</li>`,
  );
  const head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Archive</title>
<style>${PAGE_STYLE}</style></head><body>
<h1>Archive</h1>
<dl class="facts">${facts.map(([name, value]) => `<dt>${name}<dd>${escape(value)}`).join('')}</dl>
<ul class="legend">${legend.join('')}</ul>
${contents(sets, all)}
`;
  const sections = sets.map((set, index) => section(set, all[index] ?? NOTHING, index));
  const fixed = Buffer.byteLength(head) + sections.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  const share = (MOST_BYTES - fixed) / Math.max(1, sets.length);
  const body = sets.map((set, index) => `${sections[index] ?? ''}${details(set, share)}</section>`);
  return `${head}${body.join('\n')}\n</body></html>\n`;
}

const PRICES = `prices of ${STORAGE_PRICES.region}, looked up on ${STORAGE_PRICES.lookedUp}, of what lies in the bucket; requests and minimum durations are not in it`;

interface Totals {
  readonly archives: number;
  readonly text: number;
  readonly copies: number;
  readonly dollars: number;
}

const NOTHING: Totals = { archives: 0, text: 0, copies: 0, dollars: 0 };

/** Of all archives that lie there, of periods that are not shown too. */
function totalsOf({ stored }: ShownSet): Totals {
  return [...stored.values()].reduce(
    ({ archives, text, copies, dollars }, { textBytes, copyBytes, paid }) => ({
      archives: archives + 1,
      text: text + textBytes,
      copies: copies + (copyBytes ?? 0),
      dollars: dollars + monthly(paid),
    }),
    NOTHING,
  );
}

const nameOf = ({ facts }: ShownSet): string => displayName(facts.schema, facts.table);

/** A line for each set, where there are several. */
function contents(sets: readonly ShownSet[], totals: readonly Totals[]): string {
  if (sets.length < 2) return '';
  const lines = sets.map((set, index) => {
    const { archives, text, dollars } = totals[index] ?? NOTHING;
    const blocked = set.facts.periods.filter(({ state }) => state === 'blocked').length;
    const cells = [String(archives), size(text), money(dollars), blocked === 0 ? '–' : `${blocked} blocked`];
    return `<tr><th scope="row"><a href="#s${index}">${escape(nameOf(set))}</a>${cells.map((cell) => `<td>${cell}`).join('')}</tr>`;
  });
  return `<div class="wide" tabindex="0" role="group" aria-label="partition sets"><table class="sets"><tr><th scope="col">partition set<th scope="col">archives<th scope="col">text<th scope="col">a month<th scope="col">trouble</tr>${lines.join('')}</table></div>`;
}

/** Name, sizes, chart and troubles of a set; its end tag comes after its archives. */
function section(set: ShownSet, { archives, text, copies, dollars }: Totals, index: number): string {
  const { facts } = set;
  const older = facts.older === 0 ? '' : ` (${facts.older} older ones are not shown)`;
  const troubles = facts.periods.flatMap(({ period, blocked }) =>
    blocked === undefined
      ? []
      : [`<p><b>x ${escape(period)}</b> ${escape(blocked[0])}: ${escape(blocked[1])}</p>`],
  );
  return `<section id="s${index}"><h2>${escape(nameOf(set))}</h2>
<p>${counted(archives, 'archive')}, ${counted(facts.periods.length, 'period')}${older}; ${size(text)} of text, ${size(copies)} of Parquet; ${money(dollars)} a month</p>
${chart(set)}
${inWords(set)}
${troubles.join('\n')}`;
}

/** What the chart shows, in words; they are folded up where they are many. */
function inWords({ facts, stored }: ShownSet): string {
  const runs = runsOf(facts.periods, stored);
  const text = `<p class="runs">${escape(runs.join('; '))}</p>`;
  return runs.length > MOST_RUNS ? `<details><summary>periods in words</summary>${text}</details>` : text;
}

/** The archives of a set one by one, the latest first, as many as fit into `bytes`. */
function details(set: ShownSet, bytes: number): string {
  const { described, ddl, facts } = set;
  if (described.length === 0) return '';
  const ddlPart =
    ddl === ''
      ? ''
      : `<details><summary>DDL of the latest archive</summary><pre tabindex="0">${escapeLines(ddl)}</pre></details>`;
  let rest = bytes - Buffer.byteLength(ddlPart) - 600;
  const lines = archiveLines(described);
  const end = lines.findIndex((line) => (rest -= Buffer.byteLength(line) + 1) < 0);
  const shown = end === -1 ? lines : lines.slice(0, end);
  if (shown.length === 0) return '';
  const all = facts.periods.filter(({ archive }) => archive !== null).length + facts.older;
  const which = shown.length < all ? `the latest ${shown.length} archives` : 'archives';
  return `<details><summary>${which}: hashes, SQL, restore</summary>
<p>In AWS: a restore is an execution of <i>Restore</i> with <code>{"manifestKey": "…"}</code>.</p>
<div class="wide" tabindex="0" role="group" aria-label="archives"><table class="archives">${ARCHIVE_HEAD}
${shown.join('\n')}</table></div></details>${ddlPart}`;
}
