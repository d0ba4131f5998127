import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { useDatabase } from '../support/database.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'ledger.md');

const database = useDatabase({ template: 'archiver' });

const HEAD = `# Ledger reference

<!-- Written from the comments in the database (db/*/comments.sql) by test/docs/ledger.test.ts: delete this file and run the test. -->

The tables in schema \`partition_archiver\`; \`\\d+\` in psql shows the same comments. They are written by functions only;
\`archiver_maintain\` and \`archiver_read\` may read \`partition\`, \`segment\`, \`event\` and \`run\`. Change rows by the commands of
[runbook.md](runbook.md) and not by UPDATE. States of a partition: [architecture.md](architecture.md#states-of-a-ledger-row).
`;

interface Column {
  readonly table: string;
  readonly about: string | null;
  readonly name: string;
  readonly type: string;
  readonly comment: string | null;
}

/** Every column of every table of the ledger, in the order in which the tables were made. */
function columns(): Promise<readonly Column[]> {
  return database().sql<Column[]>`
    select c.relname as table, obj_description(c.oid, 'pg_class') as about, a.attname as name,
           format_type(a.atttypid, a.atttypmod) as type, col_description(c.oid, a.attnum) as comment
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'partition_archiver'::regnamespace and c.relkind = 'r'
     order by c.oid, a.attnum`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The page, as the catalog has it. */
function ledgerPage(all: readonly Column[]): string {
  const sections = [...Map.groupBy(all, ({ table }) => table)].map(([table, own]) => [
    `\n## ${table}\n\n${sentence(own[0]?.about ?? '')}\n\n| column | type | meaning |\n|---|---|---|\n`,
    ...own.map(({ name, type, comment }) => `| \`${name}\` | ${type} | ${comment ?? ''} |\n`),
  ]);
  return HEAD + sections.flat().join('');
}

// Seen to fail without db/*/comments.sql.
test('every table of the ledger and every column has a comment in the database', async () => {
  const all = await columns();
  expect(all.length).toBeGreaterThan(120);
  expect(
    all
      .filter(({ about, comment }) => about === null || comment === null)
      .map((each) => `${each.table}.${each.name}`),
  ).toEqual([]);
});

// Seen to fail with the page as it was written before the comments were there.
test('docs/ledger.md is what the comments in the database say', async () => {
  const expected = ledgerPage(await columns());
  if (!existsSync(FILE)) writeFileSync(FILE, expected);
  expect(readFileSync(FILE, 'utf8')).toBe(expected);
});
