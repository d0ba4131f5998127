import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyDisk } from '../../adapters/parquet/disk.ts';
import { readManifest, type StoredManifest } from '../../core/archive-store.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { ConvertPorts, CopyStore } from '../../core/query/convert.ts';
import type { SourceColumn } from '../../core/query/parquet-map.ts';
import { silentLog } from '../../core/ports.ts';
import { quote } from './archives.ts';
import { manifestOf, withSegments, type MemoryStore } from './memory-store.ts';

/** A bucket in memory that takes files, as the one on S3 does. */
export const withFiles = (store: MemoryStore, directory: string): MemoryStore & CopyStore => ({
  ...store,
  createFromFile: async (key, file) => {
    if ((await store.list(key)).length > 0) return 'exists';
    const body = readFileSync(join(directory, file));
    return { key, versionId: store.put(key, body), bytes: body.length };
  },
  currentFile: async (key) => {
    const object = await store.current(key);
    const body = Buffer.concat(await Array.fromAsync(store.read(key, object.versionId)));
    return { ...object, sha256: createHash('sha256').update(body).digest('hex') };
  },
});

/** What conversion is wired to in tests; time continues by a second with each look at the clock. */
export function convertPorts(store: CopyStore, directory: string, name = 'u'): ConvertPorts {
  let time = Date.parse('2026-11-29T12:00:00Z');
  let unique = 0;
  return {
    store,
    disk: copyDisk(directory, 'test'),
    clock: { now: () => new Date((time += 1000)), sleep: async () => undefined },
    log: silentLog,
    unique: () => `${name}${String((unique += 1))}`,
  };
}

/** An archive of a month of `public.flights`; a segment's text in several pieces makes several objects. */
export async function putFlights(
  store: MemoryStore,
  month: string,
  columns: readonly SourceColumn[],
  segments: readonly (readonly string[])[],
  changes: Parameters<typeof manifestOf>[0] = {},
): Promise<StoredManifest> {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const next =
    number === 12 ? `${String(year + 1)}-01` : `${String(year)}-${String(number + 1).padStart(2, '0')}`;
  const empty = manifestOf({
    ...changes,
    partition: {
      controlColumn: 'date',
      period: month.replace('-', ''),
      name: `flights_p${month.replace('-', '_')}`,
      lowerBound: `${month}-01 00:00:00+00`,
      upperBound: `${next}-01 00:00:00+00`,
      ...changes.partition,
    },
  });
  const manifest: Manifest = {
    ...withSegments(store, empty, segments),
    copy: { ...empty.copy, columns: columns.map(({ name }) => quote(name)).join(', ') },
    ddl: { ...empty.ddl, template: { columns: columns.map((column) => ({ ...column, generated: '' })) } },
  };
  return readManifest(store, await store.putManifest(manifest));
}
