import { ArchiverError } from '../../core/errors.ts';

/** Runs what touches the local disk; a full one has an error of its own. */
export function onDisk<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const known = diskError(error);
    throw known?.code === 'LocalDiskFull' ? known : error;
  }
}

/**
 * The error of the catalogue for one of the file system: `LocalDiskFull`, otherwise `InvalidInput`, with the path that
 * Node.js names. `null` for any other error.
 */
export function diskError(error: unknown): ArchiverError | null {
  if (typeof error !== 'object' || error === null) return null;
  const { code, syscall, message, address, hostname } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly hostname?: string;
  };
  const isOfSocket = address !== undefined || hostname !== undefined;
  if (code === undefined || syscall === undefined || isOfSocket) return null;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ArchiverError('LocalDiskFull', `${code}: there is no room left on the disk`);
  }
  return new ArchiverError('InvalidInput', message);
}
