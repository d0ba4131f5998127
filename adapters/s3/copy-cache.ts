import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ArchiverError } from '../../core/errors.ts';
import type { ObjectStore } from '../../core/ports.ts';
import type { CopyCache } from '../../core/query/query.ts';
import { onDisk } from '../disk/errors.ts';
import { makeFolder } from '../disk/make-folder.ts';

const MIB = 1024 * 1024;
const SUFFIX = '.parquet';
/** So long after its last byte, a file that is not whole belongs to a process that was killed. */
const ABANDONED_MS = 60 * 60 * 1000;

/**
 * Copies on the local disk, by bucket, key and VersionId, so that a file never changes. It is bound: what was not asked
 * for longest goes first. A file is there only when all of it is, and its SHA-256 was that of the manifest.
 */
export function copyCache(
  directory: string,
  store: ObjectStore,
  limits: { readonly mostMiB: number },
): CopyCache {
  const nameOf = (key: string, versionId: string): string =>
    createHash('sha256')
      .update(JSON.stringify([store.bucket, key, versionId]))
      .digest('hex') + SUFFIX;

  return {
    fetch: async (objects, progress) => {
      onDisk(() => {
        makeFolder(directory);
      });
      const names = objects.map(({ key, versionId }) => nameOf(key, versionId));
      const missing = objects.filter(
        ({ bytes }, index) => sizeOf(join(directory, names[index] ?? '')) !== bytes,
      );
      const toFetch = missing.reduce((sum, { bytes }) => sum + bytes, 0);
      makeRoom(
        directory,
        new Set(names),
        objects.reduce((sum, { bytes }) => sum + bytes, 0),
        limits.mostMiB * MIB,
      );
      let fetched = 0;
      for (const object of missing) {
        const name = nameOf(object.key, object.versionId);
        await fetchOne(store, object, join(directory, name));
        fetched += object.bytes;
        progress(fetched, toFetch);
      }
      const now = new Date();
      for (const name of names) utimesSync(join(directory, name), now, now);
      return names.map((name) => join(directory, name));
    },
  };
}

async function fetchOne(
  store: ObjectStore,
  { key, versionId, bytes, sha256 }: Parameters<CopyCache['fetch']>[0][number],
  path: string,
): Promise<void> {
  const partial = `${path}.${randomUUID()}.part`;
  const file = onDisk(() => openSync(partial, 'w', 0o600));
  try {
    const hash = createHash('sha256');
    let length = 0;
    try {
      for await (const chunk of store.read(key, versionId)) {
        hash.update(chunk);
        length += chunk.length;
        onDisk(() => {
          for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
        });
      }
    } finally {
      closeSync(file);
    }
    if (length !== bytes || hash.digest('hex') !== sha256) {
      throw new ArchiverError('CopyInvalid', `${key} is not what its manifest says`);
    }
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Removes what was not asked for longest, until what is asked for now fits. */
function makeRoom(directory: string, asked: ReadonlySet<string>, needed: number, most: number): void {
  if (needed > most) {
    const mib = (bytes: number): string => String(Math.ceil(bytes / MIB));
    throw new ArchiverError(
      'LocalDiskFull',
      `the copies take ${mib(needed)} MiB, and the cache may take ${mib(most)}`,
    );
  }
  removeAbandoned(directory);
  const others = readdirSync(directory)
    .filter((name) => name.endsWith(SUFFIX) && !asked.has(name))
    .map((name) => ({ path: join(directory, name), ...statOf(join(directory, name)) }))
    .sort((a, b) => a.usedAt - b.usedAt);
  let total = needed + others.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of others) {
    if (total <= most) return;
    rmSync(path, { force: true });
    total -= bytes;
  }
}

function removeAbandoned(directory: string): void {
  for (const name of readdirSync(directory).filter((each) => each.endsWith('.part'))) {
    const path = join(directory, name);
    if (statOf(path).usedAt < Date.now() - ABANDONED_MS) rmSync(path, { force: true });
  }
}

const statOf = (path: string): { readonly bytes: number; readonly usedAt: number } => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { bytes: stat?.size ?? 0, usedAt: stat?.mtimeMs ?? 0 };
};

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;
