import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** The account that PostgreSQL and PgBouncer run under where we are root, since both refuse to be root. */
const SERVICE_ACCOUNT = 'postgres';

/** Where a stack is ended while it starts, a command that waits for one of its parts ends, too. A change of account clears it. */
const ENDS_WITH_PARENT = '--pdeathsig=SIGKILL';

/** Whether this process may, and must, change to the service account. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The flags of setpriv that change to the service account; none where we are not root. */
export function serviceAccountFlags(): string[] {
  if (!isRoot()) return [];
  return [`--reuid=${SERVICE_ACCOUNT}`, `--regid=${SERVICE_ACCOUNT}`, '--init-groups'];
}

/** Prefixes a command, so that it runs under the service account where we are root. */
export function asServiceAccount(command: readonly string[]): string[] {
  return isRoot() ? ['setpriv', ENDS_WITH_PARENT, ...serviceAccountFlags(), '--', ...command] : [...command];
}

/** Makes a path belong to the service account where we are root; does nothing otherwise. */
export async function giveToServiceAccount(path: string): Promise<void> {
  if (isRoot()) await run(['chown', '-R', `${SERVICE_ACCOUNT}:`, path]);
}

/** Runs a command to its end, or to that of this process, and returns its standard output; a failure carries what it said. */
export async function run(
  command: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('no command to run');
  try {
    const { stdout } = await execFileAsync('setpriv', [ENDS_WITH_PARENT, '--', file, ...args], {
      ...options,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? '';
    throw new Error(`${file} failed: ${said === '' ? (error as Error).message : said.slice(-2000)}`, {
      cause: error,
    });
  }
}

/** Finds a program in PATH or in one of the extra folders; undefined when it is not installed. */
export function findProgram(name: string, extraFolders: readonly string[] = []): string | undefined {
  // sbin is not in the PATH of an ordinary user on Debian, but pgbouncer lives there.
  const folders = [...extraFolders, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** As findProgram, but a missing program is an error that names the Debian package to install. */
export function requireProgram(
  name: string,
  debianPackage: string,
  extraFolders: readonly string[] = [],
): string {
  const path = findProgram(name, extraFolders);
  if (path === undefined) {
    throw new Error(
      `${name} is not installed; run "sh local/setup.sh", or "apt-get install ${debianPackage}"`,
    );
  }
  return path;
}
