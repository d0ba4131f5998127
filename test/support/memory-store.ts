import { randomUUID } from 'node:crypto';
import { decompress } from '../../adapters/zlib/compression.ts';
import type { ArchiveStore, Storage } from '../../core/archive-store.ts';
import { ArchiverError } from '../../core/errors.ts';
import { keyPart, manifestKey, segmentKey } from '../../core/keys.ts';
import { serializeManifest, sha256Of, type Manifest } from '../../core/manifest.ts';
import { COPY_OPTIONS, PINS } from '../../core/pins.ts';
import { addLineHashSums, LineDigester } from '../../core/proof/line-digest.ts';
import { locationOf } from '../../core/query/copy-manifest.ts';

/** A versioned bucket in memory. */
export interface MemoryStore extends ArchiveStore {
  /** Writes a version, or with `null` a delete marker, and returns its id. */
  put(key: string, body: string | Buffer | null): string;
  putManifest(manifest: Manifest): Promise<string>;
  /** Takes a version away for good. */
  destroy(key: string, versionId: string): void;
  /** Moves an object to another storage class. */
  move(key: string, storage: Storage): void;
  /** The readable copies that were asked for, as `key tier days`. */
  readonly asked: readonly string[];
}

/** When everything was put. */
export const PUT_AT = new Date('2026-11-01T00:00:00Z');

/** Makes one; version ids are `v1`, `v2` and so on. */
export function memoryStore(): MemoryStore {
  const objects = new Map<string, { versionId: string; body: Buffer | null }[]>();
  const storage = new Map<string, Storage>();
  const asked: string[] = [];
  let versions = 0;
  const find = (key: string, versionId: string): Buffer => {
    const found = objects.get(key)?.find((each) => each.versionId === versionId)?.body;
    if (found === undefined || found === null)
      throw new ArchiverError('ObjectMissing', `no ${key} ${versionId}`);
    return found;
  };
  const put = (key: string, body: string | Buffer | null): string => {
    versions += 1;
    const versionId = `v${versions}`;
    objects.set(key, [
      ...(objects.get(key) ?? []),
      { versionId, body: typeof body === 'string' ? Buffer.from(body) : body },
    ]);
    return versionId;
  };
  return {
    bucket: 'memory',
    region: 'nowhere',
    put,
    putManifest: async (manifest) => {
      const { partition, source, archiveId } = manifest;
      const { parentSchema, parentName, period } = partition;
      const key = manifestKey({ database: source.database, parentSchema, parentName, period, archiveId });
      put(key, serializeManifest(manifest));
      return key;
    },
    destroy: (key, versionId) => {
      objects.set(
        key,
        (objects.get(key) ?? []).filter((each) => each.versionId !== versionId),
      );
    },
    list: async (prefix) =>
      [...objects].flatMap(([key, all]) => {
        const current = all.at(-1);
        if (!key.startsWith(prefix) || current === undefined || current.body === null) return [];
        return [{ key, versionId: current.versionId, bytes: current.body.length }];
      }),
    read: (key, versionId, text) => {
      const stored = (async function* () {
        // In two chunks, as streams come.
        const body = find(key, versionId);
        yield body.subarray(0, 5);
        yield body.subarray(5);
      })();
      return text === undefined ? stored : decompress(stored, text, `reading ${key}`);
    },
    current: async (key) => {
      const { versionId = '', body = null } = objects.get(key)?.at(-1) ?? {};
      if (body === null) throw new ArchiverError('ObjectMissing', `no ${key}`);
      return { key, versionId, bytes: body.length };
    },
    head: async (key, versionId) => ({ key, versionId, bytes: find(key, versionId).length }),
    create: async (key, body) => {
      if (objects.has(key)) return 'exists';
      return { key, versionId: put(key, body), bytes: Buffer.byteLength(body) };
    },
    folders: async (prefix) => {
      const below = [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length));
      return [...new Set(below.filter((key) => key.includes('/')).map((key) => key.split('/')[0] ?? ''))];
    },
    markProven: async () => undefined,
    protect: async () => undefined,
    versions: async (prefix) =>
      [...objects].flatMap(([key, all]) =>
        key.startsWith(prefix)
          ? all.toReversed().map(({ versionId, body }, index) => ({
              key,
              versionId,
              bytes: body?.length ?? 0,
              deleted: body === null,
              isLatest: index === 0,
              storageClass: storage.get(key)?.storageClass ?? 'STANDARD',
              modifiedAt: PUT_AT,
            }))
          : [],
      ),
    asked,
    move: (key, to) => {
      storage.set(key, to);
    },
    storage: async (key, versionId) => {
      find(key, versionId);
      return storage.get(key) ?? { storageClass: 'STANDARD', state: 'readable' };
    },
    requestCopy: async (key, _, { tier, days }) => {
      asked.push(`${key} ${tier} ${String(days)}`);
      storage.set(key, { storageClass: storage.get(key)?.storageClass ?? 'STANDARD', state: 'requested' });
    },
  };
}

/** A manifest of an empty archive, with some parts replaced. */
export function manifestOf(
  changes: Omit<Partial<Manifest>, 'partition'> & { partition?: Partial<Manifest['partition']> } = {},
): Manifest {
  return {
    format: 'partition-archive/1',
    archiveId: randomUUID(),
    product: { name: 'partition-archiver', version: '0.1.0' },
    source: { systemIdentifier: '1', database: 'db', postgresql: '15.20', extensions: {} },
    copy: { options: COPY_OPTIONS, columns: 'id, text', pins: { ...PINS } },
    contents: { rows: 0, bytes: 0, lineHash: 'sum64-xxh64', lineHashSum: '0'.repeat(16), countedWhole: true },
    segments: [],
    ddl: { key: 'ddl', versionId: 'v0', bytes: 0, sha256: sha256Of(''), template: {} },
    times: { quarantinedAt: '', exportedAt: '', committedAt: '2026-01-01T00:00:00Z' },
    ...changes,
    partition: {
      schema: 'public',
      name: 'flights_p2021_01',
      oid: 1,
      owner: 'app',
      parentSchema: 'public',
      parentName: 'flights',
      controlColumn: 'ts',
      controlKind: 'time',
      bounds: '',
      lowerBound: '',
      upperBound: '',
      period: '202101',
      attachStatement: '',
      ...changes.partition,
    },
  };
}

/** The manifest with these segments, which are put into the store: each a COPY text in one or more objects, or none. */
export function withSegments(
  store: MemoryStore,
  manifest: Manifest,
  texts: readonly (readonly string[])[],
): Manifest {
  const location = locationOf(manifest);
  const segments = texts.map((pieces, number) => {
    const digester = new LineDigester();
    digester.update(Buffer.from(pieces.join('')));
    const { rows, bytes, sha256, lineHashSum } = digester.digest();
    return {
      number,
      rows,
      bytes,
      sha256,
      lineHashSum,
      objects: pieces.map((piece, part) => {
        const key = `${segmentKey(location, number)}${part === 0 ? '' : `_part${String(part + 1)}`}`;
        return { key, versionId: store.put(key, piece), bytes: Buffer.byteLength(piece) };
      }),
      orderDiffers: false,
      firstBlock: number * 10,
      nextBlock: number + 1 === texts.length ? null : (number + 1) * 10,
    };
  });
  const contents = {
    ...manifest.contents,
    rows: segments.reduce((sum, { rows }) => sum + rows, 0),
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    lineHashSum: addLineHashSums(segments.map(({ lineHashSum }) => lineHashSum)),
  };
  return { ...manifest, contents, segments };
}

/** An archive with these segments, each a COPY text, in the store. */
export async function putArchive(
  store: MemoryStore,
  texts: readonly string[],
): Promise<{ key: string; manifest: Manifest }> {
  const pieces = texts.map((text) => (text === '' ? [] : [text]));
  const proven = withSegments(store, manifestOf(), pieces);
  const { parentSchema, parentName, period } = proven.partition;
  const key = `db/${keyPart(parentSchema)}/${parentName}/${period}/ddl/x.sql`;
  const ddl = 'create table';
  const versionId = store.put(key, ddl);
  const manifest: Manifest = {
    ...proven,
    ddl: { key, versionId, bytes: ddl.length, sha256: sha256Of(ddl), template: {} },
  };
  return { key: await store.putManifest(manifest), manifest };
}
