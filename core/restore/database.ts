import type { Readable } from 'node:stream';
import type { Manifest } from '../manifest.ts';
import type { LineDigest } from '../verify/line-digest.ts';

/** A table by its names in the catalogs. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Something that the archived DDL needs and that is not there, or is another one. */
export interface MissingDependency {
  readonly kind: string;
  readonly identity: string;
  /** `is missing`, or `is there with another definition`. */
  readonly problem: string;
  /** What makes it, where that is known. */
  readonly statement: string | null;
}

/** A restore that is under way: where it stands. */
export interface RestoreProgress {
  readonly id: number;
  /** Name of its table in the schema in which tables are restored. */
  readonly table: string;
  /** Segments that are not imported yet. */
  readonly open: readonly number[];
  /** Statements that follow the data, and how many of them are done. */
  readonly afterData: readonly string[];
  readonly statementsDone: number;
}

/** Sections of the archived DDL. */
export type DdlSection =
  'structure' | 'sequence_values' | 'foreign_keys' | 'foreign_triggers' | 'row_security' | 'ownership';

/** What a restore is begun with. */
export interface RestoreStart {
  readonly manifest: Manifest;
  readonly manifestKey: string;
  readonly manifestVersionId: string;
  readonly manifestSha256: string;
  readonly target: TableName;
  readonly owner: string;
}

/** The database, as `restore` needs it. */
export interface RestoreDatabase {
  /** Of what the archived DDL depends on, what is not there or is another one. */
  missing(dependencies: unknown): Promise<readonly MissingDependency[]>;
  render(
    manifest: Manifest,
    target: TableName,
    sections: readonly DdlSection[] | 'all',
  ): Promise<readonly string[]>;
  /** Why the partition cannot be attached to this parent, or would not stay there. */
  attachProblems(manifest: Manifest, parent: TableName): Promise<readonly string[]>;
  /**
   * Makes the bare table and records the restore, in one transaction; or finds the one that is under way, or the one
   * that is done. `TargetExists`, `DependencyMissing` (schema, owner, rights), `StateConflict`.
   */
  begin(start: RestoreStart): Promise<RestoreProgress | { readonly partition: number }>;
  /** Imports one segment and records it, in one transaction. `SegmentBusy` where an earlier call still runs. */
  importSegment(
    restore: RestoreProgress,
    segment: Manifest['segments'][number],
    from: { readonly manifest: Manifest; readonly bucket: string; readonly region: string },
  ): Promise<void>;
  /** Runs one of the statements that follow the data and records it, in one transaction. */
  runStatement(restore: RestoreProgress, number: number, statement: string): Promise<void>;
  /** Hands the rows of the restored table to `read` as COPY text, under the pins of the archive. */
  readTable<T>(
    restore: RestoreProgress,
    manifest: Manifest,
    read: (rows: Readable) => Promise<T>,
  ): Promise<T>;
  recordProof(restore: RestoreProgress, digest: LineDigest): Promise<void>;
  /** Brings the table out under its target name, with its row in the ledger, in one transaction. */
  finish(
    restore: RestoreProgress,
    statements: readonly string[],
    manifest: Manifest,
  ): Promise<{ readonly partition: number; readonly warnings: readonly string[] }>;
  unvalidatedForeignKeys(partition: number): Promise<readonly string[]>;
  validateForeignKey(partition: number, constraint: string): Promise<void>;
  attach(partition: number, parent: TableName): Promise<void>;
  /** Drops what a restore has made so far; nobody else has seen it yet. */
  abandon(restore: number): Promise<void>;
}
