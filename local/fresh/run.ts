import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Capabilities of root in a container, and the size of its shared memory, by the documentation of `docker run`. */
const CAPABILITIES =
  'audit_write chown dac_override fowner fsetid kill mknod net_bind_service net_raw setfcap setgid setpcap setuid sys_chroot';
const SHARED_MEMORY = '64m';

/** What the README's line runs in a container. */
export function containerLine(source: string): string {
  const readme = readFileSync(join(source, 'README.md'), 'utf8');
  const line = /^docker run .* -v "\$PWD":\/from:ro .* sh -c \\\n *'([^']+)'$/m.exec(readme)?.[1];
  if (line === undefined)
    throw new Error('README.md has no line that starts a container with the sources in /from');
  return line;
}

/** Runs a command in the root, in mount and process namespaces of its own: whatever it starts ends with it. */
export function runInRoot(root: string, command: string, log: string): Promise<number> {
  return unshared('exec chroot "$1" sh -c "$2"', [root, command], log);
}

/** Runs a command in the root as in a container: with the sources in `/from`, Docker's capabilities and its `/dev/shm`. */
export function runInContainer(root: string, command: string, source: string, log: string): Promise<number> {
  // The line makes it.
  rmSync(join(root, 'src'), { recursive: true, force: true });
  const bounding = `-all,+${CAPABILITIES.replaceAll(' ', ',+')}`;
  const script = `
    mkdir -p "$1/from" && mount --bind "$3" "$1/from" && mount -o remount,bind,ro "$1/from" &&
    mount -t tmpfs -o size=${SHARED_MEMORY} tmpfs "$1/dev/shm" &&
    exec chroot "$1" setpriv --bounding-set ${bounding} --inh-caps -all sh -c "$2"`;
  return unshared(script, [root, command, source], log);
}

/** Runs a script whose first argument is a root, with the file systems of a system mounted there. */
function unshared(script: string, args: readonly string[], log: string): Promise<number> {
  const mounts = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys"';
  const output = openSync(log, 'w');
  const flags = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const child = spawn('unshare', [...flags, 'sh', '-c', `${mounts} && ${script.trim()}`, 'sh', ...args], {
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
