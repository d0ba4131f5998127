/** Files beside the tests that show what the code makes, so that a change of it is seen in review. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { expect } from '@jest/globals';

/** Set, the files are written again instead of compared. */
const UPDATE = process.env['UPDATE_COMMITTED'] === '1';

/** Compares a text with a committed file, or writes the file where `UPDATE_COMMITTED=1` asks for it. */
export function expectCommitted(file: URL, text: string): void {
  if (UPDATE) writeFileSync(file, text);
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (committed === text) return;
  const [name, test] = [file.pathname, expect.getState().testPath ?? ''].map((path) =>
    relative(process.cwd(), path),
  );
  // The difference first: jest shows it line by line.
  try {
    expect(text).toBe(committed);
  } catch (error) {
    const how = `${name} shows something else. If that is meant: UPDATE_COMMITTED=1 npm run jest -- ${test}`;
    throw new Error(`${how}\n\n${(error as Error).message}`, { cause: error });
  }
}

const WIDTH = 110;

/** JSON in which what fits into a line is one line, and lists of names fill their lines. */
export function readableJson(value: unknown, indent = '', before = 0): string {
  const line = oneLine(value);
  if (indent.length + before + line.length < WIDTH || typeof value !== 'object' || value === null)
    return line;
  const inner = `${indent}  `;
  if (!Array.isArray(value)) {
    const items = Object.entries(value).map(([key, item]) => {
      const name = `${JSON.stringify(key)}: `;
      return `${inner}${name}${readableJson(item, inner, name.length)}`;
    });
    return `{\n${items.join(',\n')}\n${indent}}`;
  }
  const items = value.map((item) => readableJson(item, inner));
  const lines = value.every((item) => typeof item === 'string') ? filled(items, inner.length) : items;
  return `[\n${lines.map((each) => inner + each).join(',\n')}\n${indent}]`;
}

/** As many items in each line as fit. */
function filled(items: readonly string[], indent: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && indent + last.length + item.length + 3 <= WIDTH) {
      lines[lines.length - 1] = `${last}, ${item}`;
    } else lines.push(item);
  }
  return lines;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const items = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return items.length === 0 ? '{}' : `{ ${items.join(', ')} }`;
}
