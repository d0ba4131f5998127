import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeMutant } from './mutant.ts';
import { sqlMutants } from './sql-mutants.ts';
import { SURVIVORS } from './survivors.ts';
import { mutantsOf } from './typescript-mutants.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

// Found so: a line of db/ledger/identity was written again, and no mutation run began any more.
// A reason that no mutant has any more is seen for TypeScript as well (two had stayed since line-digest.ts was written again).
test('what mutation changes is in the files as they are now, and so are the tests and the reasons', () => {
  const mutants = sqlMutants(read);
  const reasons = Object.keys(SURVIVORS);
  const modules = new Set(
    reasons.map((name) => name.split(' ')[0] ?? '').filter((file) => file.endsWith('.ts')),
  );
  const all = [...mutants, ...[...modules].flatMap((file) => mutantsOf(file, read(file)))];
  const names = new Set(all.map((mutant) => describeMutant(read(mutant.file), mutant)));
  expect(reasons.filter((name) => !names.has(name))).toEqual([]);
  const tests = new Set(mutants.flatMap((mutant) => mutant.tests ?? []));
  expect([...tests].filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});
