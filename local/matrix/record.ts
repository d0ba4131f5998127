import type { Check } from './run-tests.ts';

/** A server that all tests of the matrix were run on. */
export interface TestedServer {
  readonly postgres: string;
  readonly partman: string;
  readonly packages: string;
  readonly checks: readonly Check[];
  readonly seconds: number;
}

const BEGIN = '<!-- written by npm run test:matrix -->';
const END = '<!-- end -->';

/** A page with the rows of these servers in its table, each in the place of the row of the same major version. */
export function record(page: string, servers: readonly TestedServer[], today: Date): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} and ${END}`);
  const rows = new Map<string, string>();
  for (const line of page.slice(begin + BEGIN.length, end).split('\n')) {
    const major = /^\| (\d+)/.exec(line)?.[1];
    if (major !== undefined) rows.set(major, line);
  }
  for (const server of servers) rows.set(/^\d+/.exec(server.postgres)?.[0] ?? '', rowOf(server, today));
  const table = [
    '| PostgreSQL | pg_partman | on | passed | failed | skipped | packages |',
    '|---|---|---|---|---|---|---|',
    ...[...rows].sort(([one], [other]) => Number(one) - Number(other)).map(([, row]) => row),
  ];
  return `${page.slice(0, begin)}${BEGIN}\n${table.join('\n')}\n${page.slice(end)}`;
}

function rowOf({ postgres, partman, packages, checks, seconds }: TestedServer, today: Date): string {
  const failed = checks.reduce((sum, { failures }) => sum + failures.length, 0);
  const run = checks.reduce((sum, { tests }) => sum + tests, 0);
  const date = today.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
  const cells = [
    postgres,
    partman,
    date,
    `${String(run - failed)} in ${seconds.toFixed(0)} s`,
    String(failed),
    skipped(checks.flatMap(({ needs }) => needs)),
    packages,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** How many tests were skipped, and how many of them for each need. */
function skipped(needs: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const need of needs) counts.set(need, (counts.get(need) ?? 0) + 1);
  const reasons = [...counts].sort().map(([need, n]) => `${String(n)} ${n === 1 ? 'needs' : 'need'} ${need}`);
  return needs.length === 0 ? '0' : `${String(needs.length)}: ${reasons.join('; ')}`;
}
