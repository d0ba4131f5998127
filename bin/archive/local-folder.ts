import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ownFolder } from '../../adapters/disk/own-folder.ts';

/** The folder of local files: that of `--directory`, otherwise one of the user. /tmp is often memory, and small. */
export function localFolder(directory?: string): string {
  return resolve(directory ?? join(homedir(), '.cache', 'partition-archiver'));
}

/** Makes a folder in it for temporary files of this process, and removes what killed processes left. */
export function temporaryFolder(directory?: string): string {
  return ownFolder(join(localFolder(directory), 'temporary'));
}
