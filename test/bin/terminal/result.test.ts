import { expect, test } from '@jest/globals';
import type { ResultRows } from '../../../adapters/duckdb/engine.ts';
import { printTable } from '../../../bin/archive/commands/result.ts';

const ROWS = [['Zürich', 'a text that is much longer than the column that is left for it', 1234567]];
const result = (): ResultRows => ({
  columns: [
    { name: 'city', type: 'VARCHAR' },
    { name: 'remark', type: 'VARCHAR' },
    { name: 'rows', type: 'BIGINT' },
  ],
  rows: (async function* () {
    yield await Promise.resolve(ROWS);
  })(),
});

async function printed(width?: number): Promise<string[]> {
  let text = '';
  await printTable(result(), (part) => (text += part), width);
  return text.trimEnd().split('\n');
}

// Seen to fail without fittingWidths() in printTable(): the line had 79 characters.
test('the result of a query fits the terminal, and its ends stay visible', async () => {
  const lines = await printed(40);
  expect(lines.filter((line) => line.length > 40)).toEqual([]);
  expect(lines[2]).toMatch(/^Zürich {2}a text.*….* for it {2}1234567$/);
});

test('a pipe gets every value whole', async () => {
  expect((await printed())[2]).toContain(ROWS[0]![1]);
});
