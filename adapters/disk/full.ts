import { ArchiverError } from '../../core/errors.ts';

/** Runs what touches the local disk; a full one has an error of its own. */
export function onDisk<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new ArchiverError('LocalDiskFull', `${code}: there is no room left on the disk`);
    }
    throw error;
  }
}
