import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeMutant } from './mutant.ts';
import { sqlMutants } from './sql-mutants.ts';
import { SURVIVORS } from './survivors.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

// Found so: a line of db/ledger/identity was written again, and no mutation run began any more.
test('what mutation changes is in db/*.sql as it is now, and so are the tests and the reasons', () => {
  const mutants = sqlMutants(read);
  const names = new Set(mutants.map((mutant) => describeMutant(read(mutant.file), mutant)));
  const reasons = Object.keys(SURVIVORS).filter((name) => name.startsWith('db/'));
  expect(reasons.filter((name) => !names.has(name))).toEqual([]);
  const tests = new Set(mutants.flatMap((mutant) => mutant.tests ?? []));
  expect([...tests].filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
