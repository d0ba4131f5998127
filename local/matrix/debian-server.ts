/**
 * PostgreSQL servers of other Debian releases, beside the machine's own, without a container and without root.
 *
 * The release's packages are unpacked into a folder. Its programs want the C library of their release, so the loader
 * and the library path are written into them (patchelf): they then run like any other program of this machine, and
 * what they start (COPY … TO PROGRAM) is this machine's.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../stack/commands.ts';
import {
  extensionFolder,
  installedPostgres,
  partmanVersion,
  programFolder,
  type PostgresInstallation,
} from '../stack/installation.ts';
import { ensureServiceDirectory } from '../stack/service-directory.ts';
import { downloadPackages } from './private-apt.ts';

/** A release of Debian, and the major version of PostgreSQL that it packages. */
export interface DebianRelease {
  /** The suite of the packages, and those that it builds upon. */
  readonly suites: readonly [string, ...string[]];
  readonly major: number;
  /** The major version whose package brings pg_partman's files, where the release has none for its own. */
  readonly partmanOf?: number;
}

/** A server to test on, and where it comes from. */
export interface MatrixServer {
  readonly installation: PostgresInstallation;
  /** The packages of PostgreSQL and pg_partman, with their versions. */
  readonly packages: string;
}

/** What of the packages that PostgreSQL depends on is needed to run it: libraries. LLVM is the JIT's, which we leave. */
const NEEDED = /^(lib|zlib1g$|patchelf$|postgresql-(client-)?\d)/;
const NOT_NEEDED = /^lib(llvm|z3|perl|python|db5|proc2|json-perl|ipc-run-perl)/;

/** The script that an upgrade of pg_partman from 4 to 5 begins with; newer packages have only the scripts after it. */
const PARTMAN_4 = 'pg_partman--4.7.2.sql';
const HAS_PARTMAN_4: DebianRelease = { suites: ['bookworm'], major: 15 };

/** Unpacks a release's server below `directory`, once or again, and says so; or takes the machine's own. */
export async function ensureServer(
  release: DebianRelease,
  directory: string,
  refresh: boolean,
  say: (line: string) => void,
): Promise<MatrixServer> {
  const own = installedPostgres();
  if (own.major === release.major) return { installation: own, packages: await ownPackages(own.major) };
  const folder = await ensureServiceDirectory(join(directory, release.suites[0]));
  const root = join(folder, 'root');
  const installation = { prefix: join(root, 'usr'), major: release.major };
  // Holds the folder, too: the programs know the path of their loader.
  const complete = join(folder, 'complete');
  const list = join(folder, 'packages.txt');
  if (refresh || !existsSync(complete) || readFileSync(complete, 'utf8') !== folder) {
    rmSync(complete, { force: true });
    rmSync(root, { recursive: true, force: true });
    say(`fetching PostgreSQL ${String(release.major)} from Debian ${release.suites[0]} into ${folder}`);
    const packages = await download(release, folder);
    const main = packages.map((path) => basename(path)).filter((name) => /^postgresql-\d/.test(name));
    writeFileSync(list, main.map((name) => name.replace(/_[^_]*$/, '').replace('_', ' ')).join(', '));
    await unpack(packages, root);
    copyPostgis(installation);
    await patchPrograms(root, programFolder(installation));
    if (release.partmanOf !== undefined) copyPartman(installation, release.partmanOf);
    if (release.major !== HAS_PARTMAN_4.major) await addPartman4(installation, directory, say);
    writeFileSync(complete, folder);
  }
  return { installation, packages: decodeURIComponent(readFileSync(list, 'utf8')) };
}

/** PostgreSQL and pg_partman of an installation, as they call themselves. */
export async function versionsOf(
  installation: PostgresInstallation,
): Promise<{ postgres: string; partman: string }> {
  const said = await run([join(programFolder(installation), 'postgres'), '--version']);
  return {
    postgres: /\d+(\.\d+|(beta|rc)\d+)/.exec(said)?.[0] ?? said.trim(),
    partman: partmanVersion(installation),
  };
}

async function ownPackages(major: number): Promise<string> {
  const server = `postgresql-${String(major)}`;
  const said = await run(['dpkg-query', '-W', '-f', '${Package} ${Version}\n', server, `${server}-partman`]);
  return `${said.trim().split('\n').join(', ')}, as installed`;
}

function download({ suites, major, partmanOf }: DebianRelease, folder: string): Promise<string[]> {
  const server = `postgresql-${String(major)}`;
  const isNeeded = (name: string): boolean => NEEDED.test(name) && !NOT_NEEDED.test(name);
  const extensions = [`${server}-partman`, `${server}-postgis-3`, `${server}-pgvector`];
  const install = partmanOf === undefined ? [server, ...extensions] : [server];
  const alone = partmanOf === undefined ? [] : [`postgresql-${String(partmanOf)}-partman`];
  return downloadPackages({ suites, install: [...install, 'patchelf'], alone, isNeeded }, folder);
}

async function unpack(packages: readonly string[], root: string): Promise<void> {
  for (const path of packages) {
    await run(['dpkg-deb', '-x', path, root]);
    rmSync(path);
  }
}

/** What update-alternatives does where the package is installed. */
function copyPostgis(to: PostgresInstallation): void {
  const control = join(extensionFolder(to), 'postgis-3.control');
  if (existsSync(control)) cpSync(control, join(extensionFolder(to), 'postgis.control'));
}

/** pg_partman's functions are SQL; the background worker, which is not, stays where it is. */
function copyPartman(to: PostgresInstallation, major: number): void {
  const from = extensionFolder({ ...to, major });
  for (const name of readdirSync(from).filter((each) => each.startsWith('pg_partman'))) {
    cpSync(join(from, name), join(extensionFolder(to), name));
  }
}

async function addPartman4(
  to: PostgresInstallation,
  directory: string,
  say: (line: string) => void,
): Promise<void> {
  const { installation } = await ensureServer(HAS_PARTMAN_4, directory, false, say);
  cpSync(join(extensionFolder(installation), PARTMAN_4), join(extensionFolder(to), PARTMAN_4));
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
