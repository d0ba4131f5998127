import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COPY_WRITER, copyDisk } from '../../adapters/parquet/disk.ts';
import { s3CopyStore } from '../../adapters/s3/copy-store.ts';
import type { ConvertPorts, CopyStore } from '../../core/query/convert.ts';
import type { BucketStepContext } from './bucket-step.ts';
import { archiveClient } from './store.ts';

/** Where copies are written and proven: of each process its own, since here several share a disk. */
const DIRECTORY = join(tmpdir(), `copies-${String(process.pid)}`);

/** What a step that makes copies works with. What an earlier event left on the disk, whose time was over, is removed. */
export function copyPorts({ settings, clock, log, signal }: BucketStepContext): ConvertPorts {
  rmSync(DIRECTORY, { recursive: true, force: true });
  const store = s3CopyStore(archiveClient(settings), settings.archiveBucket, settings.region, DIRECTORY);
  return {
    store: endedBy(signal, store),
    disk: copyDisk(DIRECTORY, COPY_WRITER),
    clock,
    log,
    unique: () => randomBytes(4).toString('hex'),
  };
}

/** A function that ran out of time is frozen as it stands, and must not continue beside the next try. */
export const endedBy = (signal: AbortSignal, store: CopyStore): CopyStore => ({
  ...store,
  async *read(...object) {
    for await (const chunk of store.read(...object)) {
      signal.throwIfAborted();
      yield chunk;
    }
  },
  createFromFile: (...file) => {
    signal.throwIfAborted();
    return store.createFromFile(...file);
  },
  create: (...object) => {
    signal.throwIfAborted();
    return store.create(...object);
  },
});
