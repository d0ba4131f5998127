/** The codes of the errors that db/ raises: `git grep BlockTooLarge` has to find the message, and not a SQLSTATE. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { codeForSqlstate } from '../../adapters/postgres/sqlstates.ts';

const DB = join(import.meta.dirname, '../../db');
/** Raised and caught by the same function. */
const UNDO = 'PA000';

// Seen to fail without the comment behind one errcode, and with the name of another code there.
test('each line of db/ that sets a SQLSTATE of ours ends with the code that it stands for', () => {
  const lines = globSync('**/*.sql', { cwd: DB }).flatMap((file) =>
    readFileSync(join(DB, file), 'utf8')
      .split('\n')
      .map((line, index) => ({ line, where: `db/${file}:${index + 1}` })),
  );
  const raising = lines.filter(({ line }) => line.includes('errcode') && /'PA\d{3}'/.test(line));
  expect(raising.length).toBeGreaterThan(100);
  const wrong = raising.filter(({ line }) => {
    const codes = [...line.matchAll(/'(PA\d{3})'/g)].map(([, state = '']) => state);
    const names = codes.filter((state) => state !== UNDO).map(codeForSqlstate);
    return names.length > 0 && !line.endsWith(`-- ${names.join(', ')}`);
  });
  expect(wrong).toEqual([]);
});
