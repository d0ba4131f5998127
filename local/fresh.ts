/**
 * `npm run test:fresh -- trixie`: both commands of the README in a fresh root of a Debian release, made by debootstrap
 * and changed by this command only. Needs root, the package debootstrap, and apt and npm as this machine has them set up.
 *
 *     npm run test:fresh -- trixie                       npm start, then .ci/run (npm test, and how many passed)
 *     npm run test:fresh -- bookworm --only start        only the first; or: test
 *     npm run test:fresh -- trixie --again --only test   in the root of last time, with today's sources
 *     npm run test:fresh -- trixie --refresh             makes the base of the root again, too
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBaseRoot, makeFreshRoot, updateSources } from './fresh/root.ts';
import { isRoot } from './stack/commands.ts';

const COMMANDS = { start: 'npm start', test: 'bash .ci/run' } as const;
type Name = keyof typeof COMMANDS;

const { values: options, positionals } = parseArgs({
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
  const names = (Object.keys(COMMANDS) as Name[]).filter((name) => name === (options.only ?? name));
  if (suite === undefined || names.length === 0) {
    say('Usage: npm run test:fresh -- <suite, such as trixie> [--only start|test] [--again] [--refresh]');
    return 2;
  }
  if (!isRoot()) {
    say('npm run test:fresh needs root: it mounts, and changes the root folder');
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
    say(`${COMMANDS[name]} in it; output in ${log}`);
    const code = await runIn(root, COMMANDS[name], log);
    if (code !== 0) failed++;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    results.push(`${suite}: ${COMMANDS[name]}: ${code === 0 ? 'passed' : `FAILED (${code})`}, ${seconds} s`);
  }
  for (const result of results) say(result);
  return failed === 0 ? 0 : 1;
}

/** Runs a command in the root, in mount and process namespaces of its own: whatever it starts ends with it. */
function runIn(root: string, command: string, log: string): Promise<number> {
  const script = `
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" &&
    exec chroot "$1" sh -c "cd /src && exec $2"`;
  const output = openSync(log, 'w');
  const flags = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const child = spawn('unshare', [...flags, 'sh', '-c', script, 'sh', root, command], {
    env: environment(),
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

/** What a login has, and what this machine's package clients are told by variables. */
function environment(): NodeJS.ProcessEnv {
  const told = Object.entries(process.env).filter(
    ([name]) => /(^|_)(CA_CERTS|CERT_FILE|CERT_DIR|proxy)$/i.test(name) && !name.startsWith('npm_'),
  );
  return {
    ...Object.fromEntries(told),
    HOME: '/root',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TERM: 'dumb',
  };
}
