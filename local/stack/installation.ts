import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An installed PostgreSQL server, laid out as Debian does. */
export interface PostgresInstallation {
  /** `/usr`, or the `usr` of a folder that Debian packages were unpacked into. */
  readonly prefix: string;
  readonly major: number;
}

/** Where `postgres`, `initdb`, `pg_dump` and the like are. */
export function programFolder({ prefix, major }: PostgresInstallation): string {
  return join(prefix, 'lib/postgresql', String(major), 'bin');
}

/** Where CREATE EXTENSION looks for control files and scripts. */
export function extensionFolder({ prefix, major }: PostgresInstallation): string {
  return join(prefix, 'share/postgresql', String(major), 'extension');
}

/** The control file that says whether, and in which version, pg_partman is installed. */
function partmanControl(installation: PostgresInstallation): string {
  return join(extensionFolder(installation), 'pg_partman.control');
}

/**
 * The newest PostgreSQL below `prefix` that has pg_partman: the same choice as in `local/setup.sh`. A distribution
 * packages pg_partman for one major version of PostgreSQL.
 */
export function installedPostgres(prefix = '/usr'): PostgresInstallation {
  const servers = join(prefix, 'lib/postgresql');
  const majors = existsSync(servers) ? readdirSync(servers).filter((name) => /^\d+$/.test(name)) : [];
  const newest = majors
    .map((name): PostgresInstallation => ({ prefix, major: Number(name) }))
    .filter((each) => existsSync(join(programFolder(each), 'postgres')) && existsSync(partmanControl(each)))
    .sort((a, b) => b.major - a.major)[0];
  if (newest === undefined) {
    throw new Error(`no PostgreSQL with pg_partman is installed in ${prefix}; run "sh local/setup.sh"`);
  }
  return newest;
}

/** pg_partman's version of an installation, as its control file has it. */
export function partmanVersion(installation: PostgresInstallation): string {
  const control = readFileSync(partmanControl(installation), 'utf8');
  return /default_version\s*=\s*'([^']+)'/.exec(control)?.[1] ?? 'unknown';
}
