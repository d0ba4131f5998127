import type { PartitionSetConfig } from '../config/partition-set.ts';
import type { PreflightProblem } from '../archive/preflight.ts';
import type { PublicationFacts } from '../publications.ts';

/** The database roles that log in: each has a secret of its own. */
export const LOGIN_ROLES = [
  'archiver_maintain',
  'archiver_read',
  'archiver_stream',
  'archiver_drop',
  'archiver_restore',
] as const;

/** One of them. */
export type LoginRole = (typeof LOGIN_ROLES)[number];

/** An extension as this server has it. */
export interface ExtensionFacts {
  readonly name: 'pg_partman' | 'aws_s3';
  /** Version in this database, and the schema of its objects. */
  readonly installed: { readonly version: string; readonly schema: string } | null;
  /** Version that CREATE EXTENSION would install. */
  readonly available: string | null;
}

/** What is known of a database before anything is changed in it. */
export interface DatabaseFacts {
  readonly database: string;
  readonly administrator: string;
  readonly serverVersion: string;
  readonly serverVersionNumber: number;
  /** Whether the administrator may create roles, and whether he is a superuser or has RDS's stand-in for one. */
  readonly mayCreateRoles: boolean;
  readonly isSuperuser: boolean;
  readonly extensions: readonly ExtensionFacts[];
  /** Owner of each configured table; `null` where there is no such table. In the order of the configuration. */
  readonly owners: readonly (string | null)[];
  readonly hasGuard: boolean;
  /** Event triggers of others that are enabled, by name. */
  readonly eventTriggers: readonly string[];
  /** Those that would carry the archiver's tables or those of a configured set, accepted or not. */
  readonly publications: readonly PublicationFacts[];
}

/** The database, as an administrator prepares it. Each step is safe to take again. */
export interface PrepareDatabase {
  facts(sets: readonly PartitionSetConfig[]): Promise<DatabaseFacts>;
  /** Installs an extension, pg_partman in a schema of its own. */
  createExtension(name: ExtensionFacts['name']): Promise<void>;
  /** Roles, ledger, functions, grants; all or nothing. */
  install(acceptedPublications: readonly string[]): Promise<void>;
  registerOwner(owner: string, schemas: readonly string[]): Promise<void>;
  setPassword(role: LoginRole, password: string): Promise<void>;
  installGuard(): Promise<void>;
  /** Login roles that RDS does not let in by a token. None elsewhere. */
  rolesWithoutIam(): Promise<readonly LoginRole[]>;
  /** What is not as it should be but stops nothing. */
  advice(sets: readonly PartitionSetConfig[]): Promise<readonly PreflightProblem[]>;
  /** What would still make a run fail. */
  problems(
    sets: readonly PartitionSetConfig[],
    acceptedPublications: readonly string[],
  ): Promise<readonly PreflightProblem[]>;
}
