import { join } from 'node:path';

/** An installed PostgreSQL server, laid out as Debian does. */
export interface PostgresInstallation {
  /** `/usr`, or the `usr` of a folder that Debian packages were unpacked into. */
  readonly prefix: string;
  readonly major: number;
}

/** Debian 12's PostgreSQL; pg_partman is packaged for this major only. */
export const DEBIAN_12: PostgresInstallation = { prefix: '/usr', major: 15 };

/** Where `postgres`, `initdb`, `pg_dump` and the like are. */
export function programFolder({ prefix, major }: PostgresInstallation): string {
  return join(prefix, 'lib/postgresql', String(major), 'bin');
}

/** Where CREATE EXTENSION looks for control files and scripts. */
export function extensionFolder({ prefix, major }: PostgresInstallation): string {
  return join(prefix, 'share/postgresql', String(major), 'extension');
}
