import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianMirror, type DebianMirror } from '../debian-mirror.ts';
import { requireProgram, run } from '../stack/commands.ts';

/** Files of this machine that its package clients need: name resolution and certificate authorities. */
const FILES_OF_THE_MACHINE = ['/etc/resolv.conf', '/etc/ssl/certs/ca-certificates.crt', '/etc/npmrc'];

/** Makes a root of a Debian release by debootstrap, once; it is copied for each try. */
export async function ensureBaseRoot(suite: string, directory: string, refresh: boolean): Promise<string> {
  const base = join(directory, `${suite}-base`);
  const complete = `${base}.complete`;
  if (!refresh && existsSync(complete)) return base;
  rmSync(complete, { force: true });
  rmSync(base, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const program = requireProgram('debootstrap', 'debootstrap');
  const { main } = await debianMirror();
  const scripts = '/usr/share/debootstrap/scripts';
  // A release that this machine's debootstrap does not know yet is made as the newest that it knows.
  const script = existsSync(join(scripts, suite)) ? [] : [join(scripts, 'sid')];
  await run([program, '--variant=minbase', suite, base, main, ...script]);
  writeFileSync(complete, '');
  return base;
}

/** Copies a base root, and gives it this machine's sources, Node with npm, and the source tree in `/src`. */
export async function makeFreshRoot(
  suite: string,
  base: string,
  root: string,
  source: string,
): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  await run(['cp', '-a', base, root]);
  writeSources(root, suite, await debianMirror());
  // As in container images: packages start no services.
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  writeFileSync(
    join(root, 'etc/apt/apt.conf.d/99machine'),
    await run(['apt-config', 'dump', 'Acquire::http']),
  );
  for (const file of FILES_OF_THE_MACHINE.filter((each) => existsSync(each))) copyInto(root, file);
  await copyNpm(root);
  mkdirSync(join(root, 'src'));
  await updateSources(root, source);
}

/** Copies the source tree, with what is not committed yet, into a root. */
export async function updateSources(root: string, source: string): Promise<void> {
  const list = '(git ls-files -z --cached --others --exclude-standard | xargs -0 ls -1d 2>/dev/null)';
  await run(['sh', '-c', `${list} | tar -cf - -T - | tar -xf - -C "$1"`, 'sh', join(root, 'src')], {
    cwd: source,
  });
}

function writeSources(root: string, suite: string, { main, security }: DebianMirror): void {
  const lines = [`deb ${main} ${suite} main`, `deb ${main} ${suite}-updates main`];
  if (security !== undefined) lines.push(`deb ${security} ${suite}-security main`);
  writeFileSync(join(root, 'etc/apt/sources.list'), `${lines.join('\n')}\n`);
}

/** Copies the Node and the npm that this command was started with, and npm's settings. */
async function copyNpm(root: string): Promise<void> {
  const { npm_node_execpath: node, npm_execpath: npm } = process.env;
  if (node === undefined || npm === undefined) throw new Error('start this by npm: npm run test:fresh');
  cpSync(realpathSync(node), join(root, 'usr/local/bin/node'));
  const folder = dirname(dirname(realpathSync(npm)));
  cpSync(folder, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }
  for (const [level, file] of [
    ['globalconfig', 'usr/local/etc/npmrc'],
    ['userconfig', 'root/.npmrc'],
  ] as const) {
    const path = (await run([node, npm, 'config', 'get', level])).trim();
    mkdirSync(dirname(join(root, file)), { recursive: true });
    if (existsSync(path)) cpSync(path, join(root, file));
  }
}

function copyInto(root: string, file: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  cpSync(realpathSync(file), join(root, file));
}
