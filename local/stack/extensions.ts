import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isRoot } from './commands.ts';

/** Our stand-ins for the extensions that AWS installs on RDS. */
const SOURCE = join(import.meta.dirname, '..', 'extensions');

/** PostgreSQL 15 finds extensions in this one folder only (18 brought `extension_control_path`). */
const TARGET = '/usr/share/postgresql/15/extension';

/**
 * Sees to it that CREATE EXTENSION finds aws_s3 and aws_commons as they are in this source tree. Only root may
 * write there; otherwise a difference is an error that names the script which asks for sudo.
 */
export async function ensureExtensions(): Promise<void> {
  for (const file of await readdir(SOURCE)) {
    if (!file.endsWith('.control') && !file.endsWith('.sql')) continue;
    const target = join(TARGET, file);
    const same = existsSync(target) && readFileSync(target).equals(readFileSync(join(SOURCE, file)));
    if (same) continue;
    if (!isRoot()) throw new Error(`${target} is missing or not up to date; run "sh local/setup.sh"`);
    // By rename, as another stack may be reading it.
    const temporary = `${target}.${String(process.pid)}`;
    await copyFile(join(SOURCE, file), temporary);
    await rename(temporary, target);
  }
}
