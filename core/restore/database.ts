import type { Manifest } from '../manifest.ts';
import type { CompressedText } from '../ports.ts';
import type { PublicationFacts } from '../publications.ts';
import type { MovedName } from './moved.ts';
import type { LineDigest } from '../proof/line-digest.ts';

/** Where the objects of an archive are. */
export interface ImportSource {
  readonly bucket: string;
  readonly region: string;
  /** Reads the current version of a key, as aws_s3 does; where rows are not imported by aws_s3. */
  readonly readCurrent: (key: string, text?: CompressedText) => AsyncIterable<Buffer>;
  /** Whether the database may read the bucket by aws_s3, if it has the extension. */
  readonly hasAwsS3: boolean;
}

/** A table by its names in the catalogs. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Something that a restore needs and that is not there, or is another one. */
export interface Lack {
  readonly kind: string;
  readonly identity: string;
  /** `is missing`, and the like. */
  readonly problem: string;
  /** What makes it, where that is known. */
  readonly statement: string | null;
}

/** A dependency of the archived DDL that is not as it was. */
export interface MissingDependency extends Lack {
  /** Rows cannot be loaded, or an object cannot be made; not where a type has more labels than it had, say. */
  readonly prevents: boolean;
  /** The qualified name that it had, and the one that it has since its extension was moved to another schema. */
  readonly name: string | null;
  readonly movedTo: string | null;
}

/** A restore that is under way. */
export interface BegunRestore {
  /** Its row in `partition_archiver.restore`. */
  readonly restoreId: number;
  /** Segments that are not imported yet. */
  readonly open: readonly number[];
}

/** A table that was published before, by its row in the ledger. */
export interface DoneRestore {
  readonly partitionId: number;
}

/** Sections of the archived DDL. */
export type DdlSection =
  'structure' | 'sequence_values' | 'foreign_keys' | 'foreign_triggers' | 'row_security' | 'ownership';

/** What makes two requests the same restore. */
export interface RestoreIdentity {
  readonly manifest: Manifest;
  readonly manifestVersionId: string;
  readonly manifestSha256: string;
  /** The drill that it is for, by its execution: restored out of sight, and never published. `null` for a restore. */
  readonly drill: string | null;
  readonly target: TableName;
  readonly owner: string;
}

/** What a restore is begun with. */
export interface RestoreStart extends RestoreIdentity {
  readonly manifestKey: string;
  /** What it is to be attached to, once it is published. */
  readonly parent: TableName | null;
  /** What is run when the table is published. */
  readonly lastSections: readonly DdlSection[];
  readonly warnings: readonly string[];
  /** Columns that are loaded as text, since their types are not what they were. */
  readonly asText: readonly string[];
  /** Tablespaces, quoted, that are not there or may not be used: the table is made in the database's own. */
  readonly unusable: readonly string[];
  /** Qualified names that the DDL has, and those that the same objects have now. */
  readonly moved: readonly MovedName[];
}

/** Rows, bytes and line-hash sum of a table. */
export interface TableContents {
  readonly rows: number;
  readonly bytes: number;
  readonly lineHashSum: string;
}

/** What the ranges of a proof add up to, against the manifest. */
export type ProofVerdict =
  { readonly proven: true } | ({ readonly proven: false; readonly expected: TableContents } & TableContents);

/** A statement of the archived DDL that failed, and left its object out. */
export interface Unmade {
  /** For the target, to be run by hand; without a semicolon. */
  readonly statement: string;
  readonly code: string;
  /** SQLSTATE and, where the error names it, the function; no values of rows. */
  readonly reason: string;
}

/** A table that was published. */
export interface Published extends TableName {
  readonly rows: number;
  readonly bytes: number;
  readonly warnings: readonly string[];
  readonly unmade: readonly Unmade[];
  readonly manifestKey: string;
  /** Where it came from. */
  readonly parentSchema: string;
  readonly parentName: string;
}

/** The database, as the steps of a restore need it. */
export interface RestoreDatabase {
  /** Of what the archived DDL depends on, what is not there or is another one; and what a target lacks (`null`: none). */
  missing(
    dependencies: unknown,
    target: { readonly schema: string; readonly owner: string } | null,
  ): Promise<{ readonly dependencies: readonly MissingDependency[]; readonly target: readonly Lack[] }>;
  /** Publications that carry the archiver's tables or one of these, or would. */
  publications(tables: readonly TableName[]): Promise<readonly PublicationFacts[]>;
  render(
    manifest: Manifest,
    target: TableName,
    sections: readonly DdlSection[] | 'all',
  ): Promise<readonly string[]>;
  /** The restore that is under way or done; `null` where there is none. Changes nothing. */
  find(restore: RestoreIdentity): Promise<Pick<BegunRestore, 'open'> | DoneRestore | null>;
  /**
   * Makes the bare table and records the restore, in one transaction; or finds the one that is under way, or the one
   * that is done. `TargetExists`, `DependencyMissing` (schema, owner, rights), `StateConflict`, `AttachRefused`: before
   * anything is loaded, since a refusal hours later would be of no use.
   */
  begin(start: RestoreStart): Promise<BegunRestore | DoneRestore>;
  /**
   * Imports one segment and records it, in one transaction; returns its rows, `null` where it was imported already.
   * `SegmentBusy` where an earlier call still runs.
   */
  importSegment(restoreId: number, segmentNumber: number, from: ImportSource): Promise<number | null>;
  /**
   * Runs the next of the statements that follow the data and records it, or that it failed, in one transaction; returns
   * its number, `null` where all are done. A server whose client is gone continues; `SegmentBusy` while it does.
   */
  runNextStatement(restoreId: number): Promise<number | null>;
  /** Plans the ranges of the proof, once; returns those that are not read yet. */
  planProof(restoreId: number): Promise<readonly number[]>;
  /** Hands the rows of a range to `read` as COPY text, under the pins of the archive; `null` where it is read already. */
  readRange<T>(
    restoreId: number,
    range: number,
    read: (rows: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<T | null>;
  recordRange(restoreId: number, range: number, digest: LineDigest): Promise<void>;
  prove(restoreId: number): Promise<ProofVerdict>;
  /** Publishes the table under its target name, with its row in the ledger, in one transaction; returns that row. */
  publish(restoreId: number): Promise<number>;
  published(partitionId: number): Promise<Published>;
  /** Foreign keys that are not valid and were, when the table was archived. */
  unvalidatedForeignKeys(partitionId: number): Promise<readonly string[]>;
  validateForeignKey(partitionId: number, constraint: string): Promise<void>;
  /**
   * Attaches a published table. `AttachRefused`, `ArchiveListed`: the table is as it was. `SegmentBusy` while the server
   * still does what an earlier call asked for; so does `validateForeignKey`.
   */
  attach(partitionId: number, parent: TableName): Promise<void>;
  /** Drops what a restore has made so far; no other session has seen it yet. */
  cancel(restoreId: number): Promise<void>;
}
