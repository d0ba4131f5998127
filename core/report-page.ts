import { displayName, type LedgerRow } from './partition.ts';
import { shellArgument } from './shell.ts';

/** A copy of an archive, as the page shows it. */
export interface ShownCopy {
  readonly archiveKey: string;
  readonly rows: number;
  readonly textBytes: number;
  readonly copyBytes: number;
}

/** What the page is made of. */
export interface ReportInput {
  readonly madeAt: string;
  readonly ledger: readonly LedgerRow[];
  /** Latest copies, by the key of the archive's manifest. */
  readonly copies: ReadonlyMap<string, ShownCopy>;
}

/** How a period stands: a letter that says it without colour, a class, and words. */
const LOOKS = {
  attached: { letter: 'a', words: 'attached' },
  waiting: { letter: 'w', words: 'detached, waiting' },
  quarantined: { letter: 'q', words: 'quarantined, being archived' },
  proven: { letter: 'p', words: 'archived and proven' },
  queryable: { letter: 's', words: 'proven, with a Parquet copy (SQL)' },
  restored: { letter: 'r', words: 'restored' },
  released: { letter: 'o', words: 'released to its owner' },
  missing: { letter: 'm', words: 'missing' },
  blocked: { letter: '!', words: 'blocked' },
} as const;

type Look = keyof typeof LOOKS;

/** How a row of the ledger looks. */
function lookOf({ state, manifestKey }: LedgerRow, { copies }: ReportInput): Look {
  switch (state) {
    case 'detached':
      return 'waiting';
    case 'exported':
      return 'quarantined';
    case 'verified':
    case 'dropped':
      return manifestKey !== null && copies.has(manifestKey) ? 'queryable' : 'proven';
    default:
      return state;
  }
}

const CELL = 11;
const CELLS_IN_LINE = 72;
const LINE = 30;
/** Archives of a set that are listed one by one, the latest of them; of all sets together so many. */
const LISTED = 1000;
const LISTED_OF_SET = 120;

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1f24;background:#fff}
h2{font-size:1.05rem;margin:1.6rem 0 .2rem;overflow-wrap:anywhere}svg{display:block;max-width:100%;height:auto}
svg text{font:9px ui-monospace,monospace;fill:#1b1f24}table{border-collapse:collapse;font-size:13px}
td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}td{overflow-wrap:anywhere}code{font-size:12px}
.attached{fill:#d0e3f7}.waiting{fill:#f6e3b4}.quarantined{fill:#f3c98b}.proven{fill:#bfe3c6}.queryable{fill:#6fc48a}
.restored{fill:#d9c8ee}.released{fill:#e4e4e4}.missing{fill:#cfcfcf}.blocked{fill:#f0a3a0}
summary{cursor:pointer}summary:focus-visible{outline:3px solid #0b57d0}.legend span{margin-right:1.2rem;white-space:nowrap}`;

/** The archive on one page: HTML with inline SVG, and no script. Names are escaped, wherever they stand. */
export function reportPage(input: ReportInput): string {
  const sets = setsOf(input.ledger);
  const share = Math.min(LISTED_OF_SET, Math.max(1, Math.floor(LISTED / Math.max(1, sets.length))));
  const legend = Object.values(LOOKS)
    .map(({ letter, words }) => `<span><b>${letter}</b> ${words}</span>`)
    .join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Archive</title>
<style>${STYLE}</style></head><body>
<h1>Archive</h1>
<p>${sets.length} partition sets, ${escape(input.madeAt)}</p>
<p class="legend">${legend}</p>
${sets.map((rows) => sectionOf(rows, share, input)).join('\n')}
</body></html>
`;
}

/** The same as lines of text, a letter for each period. */
export function reportLines(input: ReportInput): string[] {
  const legend = Object.values(LOOKS).map(({ letter, words }) => `${letter} ${words}`);
  const sets = setsOf(input.ledger).flatMap((rows) => {
    const letters = rows.map((row) => LOOKS[lookOf(row, input)].letter).join('');
    return [nameOf(rows), `  ${rows[0]?.period ?? ''} ${letters} ${rows.at(-1)?.period ?? ''}`];
  });
  return [...sets, '', legend.join(', ')];
}

/** Partitions by their set, the oldest first. */
function setsOf(ledger: readonly LedgerRow[]): LedgerRow[][] {
  const sets = Map.groupBy(ledger, ({ parentSchema, parentTable }) =>
    JSON.stringify([parentSchema, parentTable]),
  );
  return [...sets.values()];
}

const nameOf = ([row]: readonly LedgerRow[]): string =>
  row === undefined ? '' : displayName(row.parentSchema, row.parentTable);

function sectionOf(rows: readonly LedgerRow[], listed: number, input: ReportInput): string {
  const sum = (of: (row: LedgerRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const copyOf = ({ manifestKey }: LedgerRow): ShownCopy | undefined =>
    manifestKey === null ? undefined : input.copies.get(manifestKey);
  const archived = rows.filter(({ manifestKey }) => manifestKey !== null);
  const text = sum(({ bytes, manifestKey }) => (manifestKey === null ? 0 : (bytes ?? 0)));
  const copies = sum((row) => copyOf(row)?.copyBytes ?? 0);
  const troubled = rows.filter(({ blockedReason, state }) => state === 'blocked' && blockedReason !== null);
  return `<section><h2>${escape(nameOf(rows))}</h2>
<p>${archived.length} of ${rows.length} periods archived, ${size(text)} of text, ${size(copies)} of Parquet</p>
${chart(rows, input)}
${troubled.map(({ period, blockedCode, blockedReason }) => `<p><b>! ${escape(period)}</b> ${escape(blockedCode ?? '')}: ${escape(blockedReason ?? '')}</p>`).join('\n')}
${archived.length === 0 ? '' : details(archived.slice(-listed), archived.length, copyOf)}</section>`;
}

/** A cell for each period, filled by how it stands, with its letter; the years stand above. */
function chart(rows: readonly LedgerRow[], input: ReportInput): string {
  const lines = Math.ceil(rows.length / CELLS_IN_LINE);
  const width = Math.min(rows.length, CELLS_IN_LINE) * CELL;
  const paths = new Map<Look, string>();
  const texts: string[] = [];
  for (let line = 0; line < lines; line += 1) {
    const ofLine = rows.slice(line * CELLS_IN_LINE, (line + 1) * CELLS_IN_LINE);
    const y = line * LINE + 12;
    const letters = ofLine.map((row, index) => {
      const look = lookOf(row, input);
      paths.set(look, `${paths.get(look) ?? ''}M${index * CELL} ${y}h10v14h-10z`);
      return LOOKS[look].letter;
    });
    const xs = letters.map((_, index) => index * CELL + 2).join(' ');
    texts.push(`<text x="${xs}" y="${y + 10}">${letters.join('')}</text>`);
    let labelled = -Infinity;
    ofLine.forEach(({ period }, index) => {
      const year = period.slice(0, 4);
      const isFirst = index === 0 || year !== ofLine[index - 1]?.period.slice(0, 4);
      if (!isFirst || index - labelled < 4 || index > CELLS_IN_LINE - 3) return;
      texts.push(`<text x="${index * CELL}" y="${y - 3}">${escape(year)}</text>`);
      labelled = index;
    });
  }
  const shapes = [...paths].map(([look, path]) => `<path class="${look}" d="${path}"/>`).join('');
  const label = `${rows.length} periods from ${rows[0]?.period ?? ''} to ${rows.at(-1)?.period ?? ''}`;
  const box = `0 0 ${Math.max(width, 60)} ${lines * LINE}`;
  return `<svg viewBox="${box}" width="${Math.max(width, 60)}" role="img" aria-label="${escape(label)}">${shapes}${texts.join('')}</svg>`;
}

function details(
  rows: readonly LedgerRow[],
  all: number,
  copyOf: (row: LedgerRow) => ShownCopy | undefined,
): string {
  const [first] = rows;
  const name = nameOf(rows);
  const lines = rows.map((row) => {
    const copy = copyOf(row);
    const cells = [
      row.period,
      row.state,
      row.rows ?? '',
      size(row.bytes ?? 0),
      copy === undefined ? '–' : size(copy.copyBytes),
    ];
    return `<tr>${cells.map((cell) => `<td>${escape(String(cell))}</td>`).join('')}<td><code>${escape(row.manifestKey ?? '')}</code></td></tr>`;
  });
  const sql = `select count(*) from ${name} where …`;
  return `<details><summary>Archives${rows.length < all ? ` (the latest ${rows.length} of ${all})` : ''}</summary>
<p>SQL: <code>${escape(`npm run archive -- query ${shellArgument(sql)} --set ${shellArgument(name)}`)}</code><br>
Restore: <code>${escape(`npm run archive -- restore ${shellArgument(first?.manifestKey ?? '')}`)}</code></p>
<table><tr><th>period<th>state<th>rows<th>text<th>Parquet<th>manifest</tr>
${lines.join('\n')}</table></details>`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Text within HTML, in an element or an attribute. What would not be seen is shown by its number. */
function escape(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text
    .replace(/[&<>"']/g, (sign) => named[sign] ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}
