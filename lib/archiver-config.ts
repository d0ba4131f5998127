/** A partitioned table that pg_partman manages, and what becomes of its detached partitions. */
export interface PartitionSet {
  /** Schema of the partitioned parent table, exactly as in the catalogs. */
  readonly schema: string;
  /** Name of the partitioned parent table, exactly as in the catalogs. */
  readonly table: string;
  /**
   * Whether partitions are dropped once they are archived and proven.
   *
   * @default false
   */
  readonly drop?: boolean;
  /**
   * Days between the proof of an archive and the drop of its table.
   *
   * @default 7
   */
  readonly graceDays?: number;
  /**
   * How much of a table, TOAST included, goes into one S3 object: 1 to 3072; more in a table that would have over 10,000.
   *
   * @default 1024
   */
  readonly segmentSizeMiB?: number;
  /**
   * Whether the database writes segments to S3 by aws_s3, or a function streams them there.
   *
   * @default 'aws_s3'
   */
  readonly export?: 'aws_s3' | 'stream';
  /**
   * How an archive is proven before its table may be dropped.
   *
   * @default - one reading of what is streamed, else two readings
   */
  readonly proof?: 'one-reading' | 'two-readings' | undefined;
  /**
   * How streamed text is compressed on its way to S3.
   *
   * @default 'none'
   */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /**
   * Whether partitions are archived although a restore would lack an index, a check constraint or a generated column.
   *
   * @default false
   */
  readonly acceptIncompleteRestore?: boolean;
  /**
   * Whether rows in the default partition are meant to be there: neither a warning nor the alarm RowsInDefault. Rows at
   * infinity never count.
   *
   * @default false
   */
  readonly acceptRowsInDefault?: boolean;
  /**
   * Time zone in which pg_partman created the partitions.
   *
   * @default 'UTC'
   */
  readonly timeZone?: string;
  /**
   * Whether archives get a Parquet copy.
   *
   * @default false
   */
  readonly query?: boolean;
}

/** When archives are given up. Manifests and DDL never are. */
export interface ArchiveExpiry {
  /** Days after the export when proven data expires. */
  readonly days: number;
  /**
   * Days from the expiry until the bytes are deleted for good.
   *
   * @default - never
   */
  readonly deleteVersionsAfterDays?: number | undefined;
}

/** What is archived, and how. */
export interface ArchiverConfig {
  /** At least one. */
  readonly partitionSets: readonly PartitionSet[];
  /**
   * Partitions archived, and segments of one partition exported, at the same time.
   *
   * @default - 2 partitions, 2 segments
   */
  readonly concurrency?: { readonly partitions?: number; readonly segments?: number };
  /**
   * S3 Object Lock on every object of a proven archive.
   *
   * @default - none
   */
  readonly objectLock?: { readonly days: number; readonly mode?: 'GOVERNANCE' | 'COMPLIANCE' } | undefined;
  /**
   * When proven data expires.
   *
   * @default - never
   */
  readonly expiry?: ArchiveExpiry | undefined;
  /**
   * Names of publications that may carry the archiver's tables or those of a partition set.
   *
   * @default - none
   */
  readonly acceptedPublications?: readonly string[] | undefined;
  /**
   * Glue database in which archives with a Parquet copy are registered for Athena.
   *
   * @default - none
   */
  readonly glueDatabase?: string | undefined;
}
