import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FATES, type Ending, type Fate, type Mutant } from './mutant.ts';
import { confirmedEnding, LONG_PATIENCE_MS } from './patience.ts';
import type { Workbench } from './workbench.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { default: config } = (await import(pathToFileURL(join(ROOT, 'jest.config.js')).href)) as {
  default: { collectCoverageFrom: string[] };
};

/** What decides whether something is archived, proven and dropped: what has full branch coverage in jest.config.js. */
export const DECIDING_MODULES: readonly string[] = globSync(config.collectCoverageFrom, { cwd: ROOT }).sort();

/** A test file of a module takes about a second, and some on a busy machine; a mutant that loops for ever is noticed by that. */
const PATIENCE_MS = 60_000;

/** Fails where the tests fail by themselves: every mutant would count as killed. */
export async function assertGreen(workbench: Workbench): Promise<void> {
  const ending = await workbench.jest(['test/core/'], LONG_PATIENCE_MS);
  if (ending !== 'passed') throw new Error(`without any mutant, the unit tests of core/ ${ending}`);
}

/** Whether the tests of the module, or else any unit test, notice the mutant. */
export function tryTypeScript(workbench: Workbench, mutant: Mutant): Promise<Fate> {
  return workbench.with(mutant, async (without) => {
    const run = (tests: readonly string[], patienceMs: number): Promise<Ending> =>
      confirmedEnding(
        patienceMs,
        (ms) => workbench.jest(tests, ms),
        (ms) => without(() => workbench.jest(tests, ms)),
      );
    // Not every module has one of its own.
    const own = ['--passWithNoTests', `test/${mutant.file.replace(/\.ts$/, '.test.ts')}`];
    const ending = await run(own, PATIENCE_MS);
    return FATES[ending === 'passed' ? await run(['test/core/'], LONG_PATIENCE_MS) : ending];
  });
}
