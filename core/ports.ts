import type { Compression } from './config/partition-set.ts';

/** A version of an object in the archive bucket. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  /** Length in bytes. */
  readonly bytes: number;
}

/** How compressed text is to be read. */
export interface CompressedText {
  readonly compression: Compression;
  /** Bytes of the text: it has exactly so many, and no more are ever taken. */
  readonly bytes: number;
}

/** The archive bucket, as the core needs it. Errors are those of the catalogue. */
export interface ObjectStore {
  readonly bucket: string;
  readonly region: string;
  /** Current objects whose keys begin with `prefix`, with their current version. */
  list(prefix: string): Promise<readonly ObjectVersion[]>;
  /**
   * The bytes of one version as they come, or the text that is compressed in them. `ObjectMissing` if there is none;
   * `ArchiveDamaged` unless it is one whole member or frame of exactly that text, with nothing behind it.
   */
  read(key: string, versionId: string, text?: CompressedText): AsyncIterable<Buffer>;
  /** The current version of a key: what aws_s3 imports. `ObjectMissing` if there is none, or it was deleted. */
  current(key: string): Promise<ObjectVersion>;
  /** Length of one version. `ObjectMissing` if there is none. */
  head(key: string, versionId: string): Promise<ObjectVersion>;
  /**
   * Writes an object that must not exist yet (`If-None-Match: *`). Returns its version, or `exists` where there is one
   * already.
   */
  create(key: string, body: string, contentType: string): Promise<ObjectVersion | 'exists'>;
  /** Marks one version as proven, by the tag that lifecycle rules may look for. Changes no byte and no VersionId. */
  markProven(key: string, versionId: string): Promise<void>;
  /** Locks one version: it cannot be deleted before `until`. A lock is only ever extended. */
  protect(key: string, versionId: string, lock: ObjectLock): Promise<void>;
}

/** S3 Object Lock on one version. */
export interface ObjectLock {
  readonly until: Date;
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
}

/** Time, as a parameter. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`, or rejects when the signal is aborted. */
  sleep(milliseconds: number): Promise<void>;
}

/** Structured log: an event name in the words of the design, and fields without row values. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Keeps nothing. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined };

/** The whole of a small object as text. */
export async function readText(
  store: ObjectStore,
  { key, versionId }: Pick<ObjectVersion, 'key' | 'versionId'>,
): Promise<string> {
  return Buffer.concat(await Array.fromAsync(store.read(key, versionId))).toString('utf8');
}
