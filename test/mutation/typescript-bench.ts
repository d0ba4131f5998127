import type { Fate, Mutant } from './mutant.ts';
import type { Workbench } from './workbench.ts';

/** What decides whether something is archived, proven and dropped: as in jest.config.js. */
export const DECIDING_MODULES: readonly string[] = [
  ...['detect', 'quarantine', 'verify', 'commit', 'drop', 'request', 'report'].map(
    (name) => `core/${name}.ts`,
  ),
  ...['core/verify/compare.ts', 'core/verify/line-digest.ts', 'core/verify/line-hash.ts'],
];

/** A test file of a module takes about a second; a mutant that loops for ever is noticed by that. */
const PATIENCE_MS = 20_000;
/** All unit tests of core/. */
const LONG_PATIENCE_MS = 120_000;

/** Fails where the tests fail by themselves: every mutant would count as killed. */
export async function assertGreen(workbench: Workbench): Promise<void> {
  if ((await workbench.jest(['test/core/'], LONG_PATIENCE_MS)) !== 'passed') {
    throw new Error('the unit tests of core/ fail without any mutant');
  }
}

/** Whether the tests of the module, or else any unit test, notice the mutant. */
export function tryTypeScript(workbench: Workbench, mutant: Mutant): Promise<Fate> {
  return workbench.with(mutant, async () => {
    const own = await workbench.jest([`test/${mutant.file.replace(/\.ts$/, '.test.ts')}`], PATIENCE_MS);
    if (own !== 'passed') return own === 'hung' ? 'timeout' : 'killed';
    const all = await workbench.jest(['test/core/'], LONG_PATIENCE_MS);
    return all === 'passed' ? 'survived' : 'killed';
  });
}
