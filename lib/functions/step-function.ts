import { Duration } from 'aws-cdk-lib';
import type { ExportWay } from '../../core/config/partition-set.ts';
import type { DatabaseRole } from '../database/roles.ts';

/**
 * As whom a function logs in. `administrator` is the role that the given admin secret names, straight at the database and
 * not through the proxy; `none` is a function that has no way to the database, and so is not in the VPC.
 */
export type Login = DatabaseRole | 'administrator' | 'none';

/** What a step may do with the archive bucket. */
export type BucketAccess =
  | 'none'
  | 'settings'
  | 'read-manifests'
  | 'read'
  | 'retrieve'
  | 'write-data'
  | 'write-ddl-and-manifest'
  | 'write-copies'
  | 'read-copies'
  | 'write-page'
  | 'head';

/** How the Lambda of one step is deployed. */
export interface StepFunction {
  /** For people who look at the function in the console. */
  readonly description: string;
  readonly login: Login;
  readonly bucketAccess: BucketAccess;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  /** Has a way to where tables are read past the proxy, if such a place is configured. */
  readonly reads?: boolean;
  /** May ask RDS for the health of the proxy, where one is made here. */
  readonly readsProxyHealth?: boolean;
  /** Exports segments in this way; there is no such function where no partition set is exported so. */
  readonly exports?: ExportWay;
  /** Makes Parquet copies; there is no such function where no partition set has `query`. */
  readonly converts?: boolean;
  /** Works with one Glue database; there is no such function where none is configured. */
  readonly catalog?: boolean;
  /** Local disk, if it is more than the 512 MiB that each function has. */
  readonly diskMiB?: number;
  /** Installs the archiver in the database: has `db/` beside its bundle, and the secrets of all logins, whose passwords it sets. */
  readonly installs?: boolean;
}

/** Fifteen minutes is the most that Lambda gives; statements time out before it. */
export const LONGEST = Duration.minutes(15);
