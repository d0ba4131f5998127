/**
 * `npm run test:fresh -- trixie`: both commands of the README in a fresh root of a Debian release, made by debootstrap
 * and changed by this command only. Needs root, the package debootstrap, and apt and npm as this machine has them set up.
 *
 *     npm run test:fresh -- trixie                       npm start, then .ci/run (npm test, and how many passed)
 *     npm run test:fresh -- bookworm --only start        only the first; or: test
 *     npm run test:fresh -- trixie --only container      the README's line for a container, with what Docker leaves to one
 *     npm run test:fresh -- trixie --again --only test   in the root of last time, with today's sources
 *     npm run test:fresh -- trixie --refresh             makes the base of the root again, too
 */
import { join } from 'node:path';
import { commandOptions } from '../adapters/command-options.ts';
import { containerLine, runInContainer, runInRoot } from './fresh/run.ts';
import { ensureBaseRoot, makeFreshRoot, updateSources } from './fresh/root.ts';
import { findProgram, isRoot } from './stack/commands.ts';

const COMMANDS = { start: 'npm start', test: 'bash .ci/run' } as const;
type Name = keyof typeof COMMANDS | 'container';

const { values: options, positionals } = commandOptions(import.meta.filename, {
  options: {
    only: { type: 'string' },
    again: { type: 'boolean', default: false },
    refresh: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const source = join(import.meta.dirname, '..');
// Outside of the source tree: tools that search the tree would search a whole system, too.
const directory = '/var/lib/partition-archiver-local/fresh';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

process.exitCode = await main();

async function main(): Promise<number> {
  const [suite] = positionals;
  const names: Name[] =
    options.only === 'container'
      ? ['container']
      : (Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]).filter(
          (name) => name === (options.only ?? name),
        );
  if (suite === undefined || names.length === 0) {
    say(
      'Usage: npm run test:fresh -- <suite, such as trixie> [--only start|test|container] [--again] [--refresh]',
    );
    return 2;
  }
  if (!isRoot()) {
    say('npm run test:fresh needs root: it mounts, and changes the root folder');
    return 2;
  }
  if (!options.again && findProgram('debootstrap') === undefined) {
    say('npm run test:fresh needs the package debootstrap: apt-get install debootstrap');
    return 2;
  }
  const root = join(directory, suite);
  if (options.again) await updateSources(root, source);
  else {
    say(`making a fresh root of Debian ${suite} in ${root}`);
    await makeFreshRoot(suite, await ensureBaseRoot(suite, directory, options.refresh), root, source);
  }
  const results: string[] = [];
  let failed = 0;
  for (const name of names) {
    const started = performance.now();
    const log = join(directory, `${suite}-${name}.log`);
    const command = name === 'container' ? containerLine(source) : COMMANDS[name];
    say(`${command} in it; output in ${log}`);
    const code = await (name === 'container'
      ? runInContainer(root, command, source, log)
      : runInRoot(root, `cd /src && exec ${command}`, log));
    if (code !== 0) failed++;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    results.push(`${suite}: ${command}: ${code === 0 ? 'passed' : `FAILED (${code})`}, ${seconds} s`);
  }
  for (const result of results) say(result);
  return failed === 0 ? 0 : 1;
}
