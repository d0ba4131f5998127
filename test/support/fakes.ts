import { decompress } from '../../adapters/zlib/compression.ts';
import { ArchiverError } from '../../core/errors.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../core/config/runtime.ts';
import type { Clock, CompressedText, Log, ObjectLock, ObjectStore, ObjectVersion } from '../../core/ports.ts';
import type { Request } from '../../core/archive/request.ts';

/** A time at which nothing in a test happens by chance. */
export const NOW = new Date('2026-03-04T05:06:07.000Z');

/** The configuration of two sets: `app.event`, and one whose name needs quotes. */
export function makeConfig(
  first: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): RuntimeConfig {
  const parsed = parseRuntimeConfig({
    partitionSets: [
      { schema: 'app', table: 'event', ...first },
      { schema: 'App', table: 'Odd "name', ...first },
    ],
    ...more,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

/** A request for the first set. */
export function makeRequest(changes: Partial<Request> = {}): Request {
  return {
    partitionSets: [0],
    mode: 'archive',
    dryRun: false,
    archiveOnly: false,
    startedAt: NOW.toISOString(),
    ...changes,
  };
}

/** A clock that stands still, and remembers how long it was asked to sleep. */
export function fakeClock(): Clock & { readonly pauses: number[] } {
  const pauses: number[] = [];
  return {
    pauses,
    now: () => NOW,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  };
}

/** A log that remembers. */
export function fakeLog(): Log & {
  readonly lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[];
} {
  const lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  return {
    lines,
    info: (event, fields = {}) => void lines.push({ level: 'info', event, fields }),
    warn: (event, fields = {}) => void lines.push({ level: 'warn', event, fields }),
  };
}

/** A versioned bucket in memory. */
export class MemoryStore implements ObjectStore {
  readonly bucket = 'archive';
  readonly region = 'eu-central-1';
  /** Versions by key, the current one last. */
  readonly objects = new Map<string, { versionId: string; body: Buffer }[]>();
  readonly proven: string[] = [];
  readonly locks = new Map<string, ObjectLock>();
  /** Bytes handed out at a time. */
  chunkBytes = 7;
  #versions = 0;

  /** Writes a version, as aws_s3 or another writer would. */
  put(key: string, body: string | Buffer): ObjectVersion {
    this.#versions += 1;
    const version = { versionId: `v${this.#versions}`, body: Buffer.from(body) };
    this.objects.set(key, [...(this.objects.get(key) ?? []), version]);
    return { key, versionId: version.versionId, bytes: version.body.length };
  }

  async list(prefix: string): Promise<ObjectVersion[]> {
    return [...this.objects].flatMap(([key, versions]) => {
      const current = versions.at(-1);
      if (current === undefined || !key.startsWith(prefix)) return [];
      return [{ key, versionId: current.versionId, bytes: current.body.length }];
    });
  }

  read(key: string, versionId: string, text?: CompressedText): AsyncGenerator<Buffer> {
    const stored = this.#stored(key, versionId);
    return text === undefined ? stored : decompress(stored, text, `reading ${key}`);
  }

  async *#stored(key: string, versionId: string): AsyncGenerator<Buffer> {
    const { body } = this.#version(key, versionId);
    for (let at = 0; at < body.length; at += this.chunkBytes) yield body.subarray(at, at + this.chunkBytes);
  }

  async current(key: string): Promise<ObjectVersion> {
    const current = this.objects.get(key)?.at(-1);
    if (current === undefined) throw new ArchiverError('ObjectMissing', `there is no ${key}`);
    return { key, versionId: current.versionId, bytes: current.body.length };
  }

  async head(key: string, versionId: string): Promise<ObjectVersion> {
    return { key, versionId, bytes: this.#version(key, versionId).body.length };
  }

  async create(key: string, body: string, _contentType: string): Promise<ObjectVersion | 'exists'> {
    return this.objects.has(key) ? 'exists' : this.put(key, body);
  }

  async markProven(key: string, versionId: string): Promise<void> {
    this.#version(key, versionId);
    this.proven.push(key);
  }

  async protect(key: string, versionId: string, lock: ObjectLock): Promise<void> {
    this.#version(key, versionId);
    this.locks.set(key, lock);
  }

  #version(key: string, versionId: string): { versionId: string; body: Buffer } {
    const found = this.objects.get(key)?.find((version) => version.versionId === versionId);
    if (found === undefined) throw new ArchiverError('ObjectMissing', `there is no ${versionId} of ${key}`);
    return found;
  }
}

/** A port of which only some methods are expected to be called: any other call fails the test. */
export function fakePort<Port extends object>(methods: Partial<Port>): Port {
  return new Proxy(methods as Port, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as unknown;
      if (method !== undefined || typeof name === 'symbol' || name === 'then') return method;
      return () => {
        throw new Error(`${name} was not expected to be called`);
      };
    },
  });
}

/** Any text as COPY would have it, for tests that look at bytes. */
export async function* chunksOf(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
