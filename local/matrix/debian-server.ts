/**
 * PostgreSQL servers of other Debian releases, beside the machine's own, without a container and without root.
 *
 * The release's packages are unpacked into a folder. Its programs want the C library of their release, so the loader
 * and the library path are written into them (patchelf): they then run like any other program of this machine, and
 * what they start (COPY … TO PROGRAM) is this machine's.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../stack/commands.ts';
import {
  DEBIAN_12,
  extensionFolder,
  programFolder,
  type PostgresInstallation,
} from '../stack/installation.ts';
import { ensureServiceDirectory } from '../stack/service-directory.ts';

/** A Debian release and the major version of its PostgreSQL. */
export interface DebianRelease {
  readonly suite: string;
  readonly major: number;
}

/** What of the packages that PostgreSQL depends on is needed to run it: libraries. LLVM is the JIT's, which we leave. */
const NEEDED = /^(lib|zlib1g$|patchelf$|postgresql-(client-)?\d)/;
const NOT_NEEDED = /^lib(llvm|z3|perl|python|db5|sqlite|proc2|json-perl|ipc-run-perl)/;

/** The script of pg_partman 4 that an upgrade to 5 begins with; Debian's newer packages bring only the way on from it. */
const PARTMAN_4 = 'pg_partman--4.7.2.sql';

/** Unpacks a release's server below `directory`, once or anew, and says so. */
export async function ensureServer(
  release: DebianRelease,
  directory: string,
  refresh: boolean,
  say: (line: string) => void,
): Promise<PostgresInstallation> {
  if (release.suite === 'bookworm') return DEBIAN_12;
  const { suite, major } = release;
  const folder = await ensureServiceDirectory(join(directory, suite));
  const root = join(folder, 'root');
  const installation = { prefix: join(root, 'usr'), major };
  // Holds the folder, too: the programs know the path of their loader.
  const complete = join(folder, 'complete');
  if (refresh || !existsSync(complete) || readFileSync(complete, 'utf8') !== folder) {
    rmSync(complete, { force: true });
    rmSync(root, { recursive: true, force: true });
    say(`fetching PostgreSQL ${String(major)} and pg_partman from Debian ${suite} into ${folder}`);
    await unpack(await download(release, folder), root);
    await patchPrograms(root, programFolder(installation));
    copyFileSync(join(extensionFolder(DEBIAN_12), PARTMAN_4), join(extensionFolder(installation), PARTMAN_4));
    writeFileSync(complete, folder);
  }
  return installation;
}

/** PostgreSQL and pg_partman of an installation, as they call themselves. */
export async function versionsOf(
  installation: PostgresInstallation,
): Promise<{ postgres: string; partman: string }> {
  const said = await run([join(programFolder(installation), 'postgres'), '--version']);
  const control = readFileSync(join(extensionFolder(installation), 'pg_partman.control'), 'utf8');
  return {
    postgres: /\d+\.\d+/.exec(said)?.[0] ?? said.trim(),
    partman: /default_version\s*=\s*'([^']+)'/.exec(control)?.[1] ?? 'unknown',
  };
}

/** Downloads with an apt configuration of our own, which knows of no installed package and of one release only. */
async function download({ suite, major }: DebianRelease, folder: string): Promise<string[]> {
  for (const name of ['lists/partial', 'archives/partial', 'packages']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const settings = {
    'Dir::Etc::SourceList': file(
      'sources.list',
      `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`,
    ),
    'Dir::Etc::SourceParts': '-',
    'Dir::State': folder,
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': file('status', ''),
    'Dir::Cache': folder,
    'Dir::Cache::Archives': join(folder, 'archives'),
    'APT::Architecture': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    // A mirror's copy of a release under development may be a few days old.
    'Acquire::Check-Valid-Until': 'false',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  const env = { ...process.env, APT_CONFIG: file('apt.conf', lines.join('')), LC_ALL: 'C' };
  await run(['apt-get', '-qq', 'update'], { env });
  const server = `postgresql-${String(major)}`;
  const uris = await run(
    ['apt-get', '-qq', '--print-uris', 'install', server, `${server}-partman`, 'patchelf'],
    { env },
  );
  const packages = uris
    .split('\n')
    .map((line) => /^'[^']*' ([^_]+)_/.exec(line)?.[1] ?? '')
    .filter((name) => NEEDED.test(name) && !NOT_NEEDED.test(name));
  const target = join(folder, 'packages');
  await run(['apt-get', '-qq', 'download', ...packages], { env, cwd: target });
  return readdirSync(target).map((name) => join(target, name));
}

async function unpack(packages: readonly string[], root: string): Promise<void> {
  for (const path of packages) {
    await run(['dpkg-deb', '-x', path, root]);
    rmSync(path);
  }
}

async function patchPrograms(root: string, programs: string): Promise<void> {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  const patchelf = [loader, '--library-path', libraries, join(root, 'usr/bin/patchelf')];
  for (const name of readdirSync(programs)) {
    const path = join(programs, name);
    if (readFileSync(path).subarray(1, 4).toString('latin1') !== 'ELF') continue;
    // An RPATH, unlike a RUNPATH, holds for the libraries of libraries too.
    await run([...patchelf, '--set-interpreter', loader, '--force-rpath', '--set-rpath', libraries, path]);
  }
  // Without its provider there is no JIT; with it, but without LLVM, every larger query would fail.
  const extensions = join(programs, '..', 'lib');
  for (const name of readdirSync(extensions).filter((entry) => entry.startsWith('llvmjit'))) {
    rmSync(join(extensions, name), { recursive: true });
  }
}
