import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asServiceAccount, giveToServiceAccount, isRoot, run } from './commands.ts';

/**
 * A folder of the stack that the service account can reach. That is one inside the stack's directory, except
 * where we are root and the way there is closed to others, as it is below /root: then it is one under /var/lib.
 */
export async function ensureServiceDirectory(directory: string): Promise<string> {
  const note = join(directory, 'service-directory');
  if (existsSync(note)) return readFileSync(note, 'utf8');
  const inside = join(directory, 'services');
  await mkdir(inside, { recursive: true });
  const path = (await isReachable(inside)) ? inside : outside(directory);
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  await giveToServiceAccount(path);
  writeFileSync(note, path);
  return path;
}

async function isReachable(path: string): Promise<boolean> {
  if (!isRoot()) return true;
  try {
    await run(asServiceAccount(['test', '-x', path]));
    return true;
  } catch {
    return false;
  }
}

function outside(directory: string): string {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  return join('/var/lib/partition-archiver-local', name);
}
