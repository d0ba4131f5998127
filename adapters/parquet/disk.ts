import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PRODUCT } from '../../core/manifest.ts';
import type { CopyDisk } from '../../core/query/ports.ts';
import { onDisk } from '../disk/errors.ts';
import { makeFolder } from '../disk/make-folder.ts';
import { createParquetFile, openParquetFile } from './files.ts';

/** Who wrote a file, as its footer says. */
export const COPY_WRITER = `${PRODUCT.name} ${PRODUCT.version} (hyparquet-writer 0.17.0)`;

/** A folder of the local disk in which copies are written and proven. */
export function copyDisk(directory: string, createdBy: string): CopyDisk {
  const pathOf = (name: string): string => join(directory, name);
  return {
    create: (name, columns, metadata) => {
      onDisk(() => {
        makeFolder(directory);
      });
      return createParquetFile(pathOf(name), columns, metadata, createdBy);
    },
    open: (name, sha256) => openParquetFile(pathOf(name), sha256),
    remove: (name) => {
      rmSync(pathOf(name), { force: true });
    },
  };
}
