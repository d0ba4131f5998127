import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from '../debian-mirror.ts';
import { run } from '../stack/commands.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Taken for installed: what PostgreSQL's packages need for being set up by dpkg, which they are not here. In Debian's
 * unstable suites these cannot always be installed (a change of Perl is under way, say).
 */
const NOT_FOLLOWED = [
  'adduser',
  'debconf',
  'locales',
  'perl',
  'perl-base',
  'postgresql-client-common',
  'postgresql-common',
  'ssl-cert',
  'tzdata',
  'ucf',
];

/** What to download, and out of which suites of Debian. */
export interface Request {
  /** The suite that packages are taken from, and those that it builds upon. */
  readonly suites: readonly [string, ...string[]];
  /** Packages that are wanted with all that they depend on. */
  readonly install: readonly string[];
  /** Packages that are wanted alone. */
  readonly alone: readonly string[];
  /** Which of the dependencies are to be downloaded. */
  readonly isNeeded: (name: string) => boolean;
}

/**
 * Downloads packages with an apt configuration of its own below `folder`, which knows of no installed package and only
 * of the suites that are named, on the mirror that this machine's apt has. Returns the paths of the packages.
 */
export async function downloadPackages(request: Request, folder: string): Promise<string[]> {
  const env = { ...process.env, APT_CONFIG: await configure(request, folder), LC_ALL: 'C' };
  await run(['apt-get', '-qq', 'update'], { env });
  const release = ['-t', request.suites[0]];
  const uris = await run(['apt-get', '-qq', '--print-uris', ...release, 'install', ...request.install], {
    env,
  });
  const packages = uris
    .split('\n')
    .map((line) => /^'[^']*' ([^_]+)_/.exec(line)?.[1] ?? '')
    .filter((name) => request.isNeeded(name));
  const target = join(folder, 'packages');
  await run(['apt-get', '-qq', ...release, 'download', ...packages, ...request.alone], { env, cwd: target });
  return readdirSync(target).map((name) => join(target, name));
}

/** An entry of dpkg's status file. */
function asInstalled(name: string): string {
  const fields = { Package: name, Status: 'install ok installed', Architecture: 'all', Version: '9999' };
  return Object.entries({ ...fields, Maintainer: 'nobody', Description: name })
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('');
}

async function configure({ suites }: Request, folder: string): Promise<string> {
  for (const name of ['lists/partial', 'archives/partial', 'packages']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { main } = await debianMirror();
  const sources = suites.map((suite) => `deb [signed-by=${KEYRING}] ${main} ${suite} main\n`);
  const settings = {
    'Dir::Etc::SourceList': file('sources.list', sources.join('')),
    'Dir::Etc::SourceParts': '-',
    'Dir::State': folder,
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::status': file('status', NOT_FOLLOWED.map(asInstalled).join('\n')),
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
  return file('apt.conf', lines.join(''));
}
