import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { diskError } from '../../adapters/disk/errors.ts';
import { makeFolder } from '../../adapters/disk/make-folder.ts';
import { ownFolder } from '../../adapters/disk/own-folder.ts';
import { ArchiverError } from '../../core/errors.ts';

/** The folder of local files: that of `--directory`, otherwise one of the user. /tmp is often memory, and small. */
function localFolder(directory?: string): string {
  // An empty HOME would be the current folder.
  return resolve(directory ?? join(homedir() || userInfo().homedir, '.cache', 'partition-archiver'));
}

/** Makes the folder in which fetched copies are kept. */
export function copiesFolder(directory?: string): string {
  return named('directory', () => {
    const folder = join(localFolder(directory), 'copies');
    makeFolder(folder);
    return folder;
  });
}

/** Makes a folder for temporary files of this process, and removes what killed processes left. */
export function temporaryFolder(directory?: string): string {
  return named('directory', () => ownFolder(join(localFolder(directory), 'temporary')));
}

/** Does what needs a file or folder that an option names; what the disk refuses is said with the option. */
export function named<T>(option: 'directory' | 'html', work: () => T): T {
  try {
    return work();
  } catch (error) {
    const known = diskError(error);
    if (known?.code !== 'InvalidInput') throw error;
    throw new ArchiverError('InvalidInput', `--${option}: ${known.message}`);
  }
}
