import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { copyFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { extensionFolder } from './installation.ts';
import type { PostgresInstallation } from './installation.ts';

/** Our stand-ins for the extensions that AWS installs on RDS. */
const SOURCE = join(import.meta.dirname, '..', 'extensions');

/**
 * Sees to it that CREATE EXTENSION finds aws_s3 and aws_commons as they are in this source tree. Only root may
 * write to Debian's own folder; otherwise a difference is an error that names the script which asks for sudo.
 */
export async function ensureExtensions(installation: PostgresInstallation): Promise<void> {
  // Before 18 and its `extension_control_path`, PostgreSQL finds extensions in this one folder only.
  const folder = extensionFolder(installation);
  for (const file of await readdir(SOURCE)) {
    if (!file.endsWith('.control') && !file.endsWith('.sql')) continue;
    const target = join(folder, file);
    const same = existsSync(target) && readFileSync(target).equals(readFileSync(join(SOURCE, file)));
    if (same) continue;
    if (!isWritable(folder)) {
      throw new Error(`${target} is missing or not up to date; run "sh local/setup.sh"`);
    }
    // By rename, as another stack may be reading it.
    const temporary = `${target}.${String(process.pid)}`;
    await copyFile(join(SOURCE, file), temporary);
    await rename(temporary, target);
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
